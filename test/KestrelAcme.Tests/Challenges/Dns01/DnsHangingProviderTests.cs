using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>A custom provider that ignores cancellation, or cancels its own call.</summary>
public sealed class DnsHangingProviderTests : IDnsProvider
{
    private static readonly DnsTxtRecord Record = new()
    {
        Zone = "example.test",
        Name = "_acme-challenge.example.test",
        ChallengeName = "_acme-challenge.example.test",
        Value = "value",
    };

    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);

    string IDnsProvider.Description => "a provider that hangs";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Call_IgnoresCancellation_IsAbandonedAndDelaysNoOther(bool create)
    {
        await using var app = App();
        var writer = app.Services.GetRequiredService<RecordWriter>();
        using var stop = new CancellationTokenSource();

        var calling = create ? writer.CreateAsync(Record, this, stop.Token) : writer.DeleteAsync(Record, this, stop.Token);
        await _entered.Task.WaitAsync(Cancelled);
        await stop.CancelAsync();
        await _time.WhenTimerDueWithinAsync(TimeToStop, Cancelled);
        _time.Advance(TimeToStop);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => calling.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled));
        _released.SetResult();
        await writer.CreateAsync(Record, this, Cancelled);
    }

    [Fact]
    public async Task Call_StopsLate_KeepsTheNameUntilThen()
    {
        await using var app = App();
        var writer = app.Services.GetRequiredService<RecordWriter>();
        using var stop = new CancellationTokenSource();
        var calling = writer.CreateAsync(Record, this, stop.Token);
        await _entered.Task.WaitAsync(Cancelled);
        await stop.CancelAsync();
        Assert.False(calling.IsCompleted);

        _released.SetResult();

        await calling.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, Cancelled);
    }

    // As HttpClient does when its own time-out is over.
    [Fact]
    public async Task Call_IsCanceledByTheProvider_FailsWithItsName()
    {
        await using var app = App();
        _released.SetCanceled(CancellationToken.None);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Services.GetRequiredService<RecordWriter>().CreateAsync(Record, this, Cancelled));

        Assert.Contains("a provider that hangs", exception.Message, StringComparison.Ordinal);
    }

    Task IDnsProvider.CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        _entered.TrySetResult();
        return _released.Task;
    }

    Task IDnsProvider.DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => ((IDnsProvider)this).CreateTxtAsync(
        record, cancellationToken);

    private DnsFixture App()
        => new(new Dictionary<string, string?>(), dnsPort: 53, acme: acme => acme.AddDnsProvider("Hanging", _ => this), time: _time);
}
