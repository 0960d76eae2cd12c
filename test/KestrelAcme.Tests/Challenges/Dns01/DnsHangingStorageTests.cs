using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>A store that never responds and ignores cancellation.</summary>
public sealed class DnsHangingStorageTests : IDnsProvider
{
    private static readonly DnsTxtRecord Record = new()
    {
        Zone = "example.test",
        Name = "_acme-challenge.example.test",
        ChallengeName = "_acme-challenge.example.test",
        Value = "value",
    };

    // A few seconds for each call: the lock of the name, the lease of the owner, the note; a minute for the provider's own values.
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _values = [];

    string IDnsProvider.Description => "a provider that works";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Create_StoreNeverResponds_TheRecordIsCreatedWithoutANote()
    {
        await using var app = App(acme => acme.AddDnsProvider("Working", _ => this));

        await InTimeAsync(app.Services.GetRequiredService<RecordWriter>().CreateAsync(Record, this, Cancelled));

        Assert.Equal(["value"], _values);
    }

    [Fact]
    public async Task Delete_StoreNeverResponds_TheRecordIsDeleted()
    {
        _values.Add("value");
        await using var app = App(acme => acme.AddDnsProvider("Working", _ => this));

        await InTimeAsync(app.Services.GetRequiredService<RecordWriter>().DeleteAsync(Record, this, Cancelled));

        Assert.Empty(_values);
    }

    [Fact]
    public async Task Delete_StoreNeverRespondsDuringCleanUp_TheRecordIsDeleted()
    {
        _values.Add("value");
        await using var app = App(acme => acme.AddDnsProvider("Working", _ => this));
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30), _time);

        await InTimeAsync(app.Services.GetRequiredService<RecordWriter>().DeleteAsync(Record, this, limit.Token));

        Assert.Empty(_values);
    }

    [Fact]
    public async Task Create_StoreNeverRespondsAndTheProviderNeedsIt_FailsWithTheReason()
    {
        await using var app = App(acme => acme.AddAcmeDns(options => options.ServerUrl = "https://127.0.0.1:1/"));
        var provider = app.Services.GetRequiredService<DnsProviderTable>().Find(Record.Name, Record.ChallengeName)!.Provider;

        var creating = app.Services.GetRequiredService<RecordWriter>().CreateAsync(Record, provider, Cancelled);

        var exception = await Assert.ThrowsAsync<ChallengeException>(() => InTimeAsync(creating));
        Assert.Equal(ChallengeFault.Local, exception.Fault);
        Assert.Contains("The store did not respond within 60 s", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_StoreNeverResponds_GivesUpUntilTheNextOne()
    {
        await using var app = App(acme => acme.AddDnsProvider("Working", _ => this));

        await Assert.ThrowsAsync<StorageUnavailableException>(
            () => InTimeAsync(app.Services.GetRequiredService<StaleRecordSweep>().RunAsync(Cancelled)));
    }

    Task IDnsProvider.CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        _values.Add(record.Value);
        return Task.CompletedTask;
    }

    Task IDnsProvider.DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        _values.Remove(record.Value);
        return Task.CompletedTask;
    }

    private DnsFixture App(Action<IAcmeHttpsBuilder> acme)
        => new(new Dictionary<string, string?>(), dnsPort: 53, new SilentStorage(new InMemoryStorage()), acme, _time);

    private async Task InTimeAsync(Task work)
    {
        var start = _time.GetUtcNow();
        while (!work.IsCompleted && _time.GetUtcNow() - start < Longest)
        {
            await Task.WhenAny(work, _time.WhenTimerDueWithinAsync(Longest, Cancelled)).WaitAsync(
                TimeSpan.FromSeconds(20), TimeProvider.System, Cancelled);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        await work.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);
    }
}
