using System.Text.Json;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.Records;
using KestrelAcme.Hosting;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>The records of an instance that is gone, in a store that others share.</summary>
public sealed class DnsStaleRecordTests : IDnsProvider, IAsyncDisposable
{
    private const string KeyAuthorization = "token.thumbprint";
    private static readonly string Value = DnsChallengeNames.Value(KeyAuthorization);
    private static readonly DnsTxtRecord Record = new()
    {
        Zone = "example.test",
        Name = "_acme-challenge.example.test",
        ChallengeName = "_acme-challenge.example.test",
        Value = Value,
        KeyAuthorization = KeyAuthorization,
    };

    // An order lasts at most half an hour, and the CA may query its record for a while longer.
    private static readonly TimeSpan LongestOrder = TimeSpan.FromMinutes(30);

    private readonly FakeTimeProvider _time = new();
    private readonly FailingStorage _storage;
    private readonly List<string> _values = [];
    private readonly List<string> _deleted = [];
    private readonly DnsFixture _gone;
    private readonly DnsFixture _next;
    private bool _refuses;

    public DnsStaleRecordTests()
    {
        _storage = new FailingStorage(new InMemoryStorage(_time));
        (_gone, _next) = (App(), App());
    }

    string IDnsProvider.Description => "a provider";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private StaleRecordSweep Sweep => _next.Services.GetRequiredService<StaleRecordSweep>();

    public async ValueTask DisposeAsync()
    {
        await _gone.DisposeAsync();
        await _next.DisposeAsync();
    }

    [Fact]
    public async Task Sweep_OrderMayBeInProgress_TheRecordIsKeptUntilNoneCanBe()
    {
        await CreateAndStopAsync();
        _time.Advance(LongestOrder);

        Assert.True(await Sweep.RunAsync(Cancelled));
        Assert.Equal([Value], _values);

        _time.Advance(TimeSpan.FromMinutes(15));
        Assert.False(await Sweep.RunAsync(Cancelled));
        Assert.Empty(_values);
        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Sweep_NoteOfAClockFarAhead_IsNotWaitedFor()
    {
        _time.SetUtcNow(_time.GetUtcNow().AddYears(1));
        await CreateAndStopAsync();
        _time.SetUtcNow(_time.GetUtcNow().AddYears(-1));

        Assert.False(await Sweep.RunAsync(Cancelled));
        Assert.Empty(_values);
    }

    [Fact]
    public async Task Delete_OrderOfDeadInstanceResumed_RemovesRecordAndNotes()
    {
        await CreateAndStopAsync();
        await WriterOf(_next).CreateAsync(Record, this, Cancelled);

        await WriterOf(_next).DeleteAsync(Record, this, Cancelled);

        Assert.Empty(_values);
        Assert.Empty(await NotesAsync());
    }

    [Fact]
    public async Task Delete_LivingInstanceNeedsIt_KeepsTheRecord()
    {
        await WriterOf(_gone).CreateAsync(Record, this, Cancelled);
        await WriterOf(_next).CreateAsync(Record, this, Cancelled);

        await WriterOf(_next).DeleteAsync(Record, this, Cancelled);

        Assert.Equal([Value], _values);
        Assert.Single(await NotesAsync());
    }

    [Fact]
    public async Task Sweep_RefusedDeletion_IsRetriedAtOnce()
    {
        await WriterOf(_gone).CreateAsync(Record, this, Cancelled);
        _refuses = true;
        await Assert.ThrowsAsync<ChallengeException>(() => WriterOf(_gone).DeleteAsync(Record, this, Cancelled));
        _refuses = false;

        Assert.False(await Sweep.RunAsync(Cancelled));

        Assert.Empty(_values);
        Assert.Empty(await NotesAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Sweep_UnreadableOrDamagedNote_TheOthersAreSwept(bool damaged)
    {
        await CreateAndStopAsync();
        _time.Advance(TimeSpan.FromHours(1));
        const string Bad = $"{RecordKeys.RecordsPrefix}0/bad";
        await _storage.WriteAsync(Bad, "?"u8.ToArray(), lease: null, Cancelled);
        _storage.Unreadable = key => key == Bad && !damaged;
        _storage.Unwritable = key => key.StartsWith(Bad, StringComparison.Ordinal);

        await Sweep.RunAsync(Cancelled);

        Assert.Empty(_values);
        Assert.Equal([Bad], await NotesAsync());
    }

    /// <summary>
    /// Notes that an attacker who can write to the store could add, to have records deleted that are not for a challenge.
    /// </summary>
    public static TheoryData<string, string, string, string?> Planted => new()
    {
        { "example.test", "_acme-challenge.example.test", "v=spf1 -all", null },
        { "example.test", "example.test", Value, null },
        { "www.example.test", "www.example.test", Value, null },
        { "_dmarc.example.test", "_dmarc.example.test", Value, null },
        { "_acme-challenge.example.test", "_acme-challenge.example.test", "v=spf1 -all", null },
        { "_acme-challenge.example.test", "_acme-challenge.example.test", Value + "x", null },
        { "_acme-challenge.example.test", "_acme-challenge.example.test", "+" + Value[1..], null },
        {
            "_acme-challenge.example.test",
            "_acme-challenge.example.test",
            Value,
            $"{RecordKeys.RecordsPrefix}0/0123456789abcdef0123456789abcdef"
        },
        { "$(id).example.test", "_acme-challenge.example.test", Value, null },
        { "_acme-challenge.example.test", "x._acme-challenge.example.test", Value, null },
    };

    [Theory]
    [MemberData(nameof(Planted))]
    public async Task Sweep_ForgedNote_DeletesNothingAndIsSetAside(
        string name, string challengeName, string value, string? key)
    {
        var entry = new RecordEntry
        {
            Zone = "example.test",
            Name = name,
            ChallengeName = challengeName,
            Value = value,
            KeyAuthorization = KeyAuthorization,
            CreatedAt = _time.GetUtcNow() - TimeSpan.FromHours(2),
        };
        key ??= RecordKeys.Entry(entry.ToRecord(), Guid.NewGuid().ToString("N"));
        await _storage.WriteAsync(
            key, JsonSerializer.SerializeToUtf8Bytes(entry, RecordJsonContext.Default.RecordEntry), lease: null, Cancelled);

        await Sweep.RunAsync(Cancelled);

        Assert.Empty(_deleted);
        Assert.Equal([key + ".damaged"], await NotesAsync());
    }

    [Theory]
    [InlineData("_acme-challenge.example.test", true)]
    [InlineData("_abcdefghijklmnop._acme-challenge.example.test", true)]
    [InlineData("there.acme.test", true)]
    [InlineData("elsewhere.acme.test", false)]
    public async Task Sweep_NoteOfARecordElsewhere_IsBelievedIfTheChallengeLeadsThere(string name, bool believed)
    {
        var zone = new BindZone("example.test", "_acme-challenge IN CNAME there.acme.test.");
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [zone, new BindZone("acme.test")] }, Cancelled);
        await using var app = new DnsFixture(
            new Dictionary<string, string?>(), bind.Address.Port, _storage, acme => acme.AddDnsProvider("Working", _ => this), _time);
        var challengeName = name.Contains("_acme-challenge", StringComparison.Ordinal) ? name : "_acme-challenge.example.test";
        var entry = new RecordEntry
        {
            Zone = name.EndsWith(".acme.test", StringComparison.Ordinal) ? "acme.test" : "example.test",
            Name = name,
            ChallengeName = challengeName,
            Value = Value,
            KeyAuthorization = KeyAuthorization,
            CreatedAt = _time.GetUtcNow() - TimeSpan.FromHours(2),
        };
        var key = RecordKeys.Entry(entry.ToRecord(), Guid.NewGuid().ToString("N"));
        await _storage.WriteAsync(
            key, JsonSerializer.SerializeToUtf8Bytes(entry, RecordJsonContext.Default.RecordEntry), lease: null, Cancelled);

        await app.Services.GetRequiredService<StaleRecordSweep>().RunAsync(Cancelled);

        Assert.Equal(believed ? [name] : [], _deleted);
        Assert.Equal(believed ? [] : [key], await NotesAsync());
    }

    /// <summary>
    /// Somebody who can write to the store copies the value of another ACME client, or a value that stays in DNS, into an exact note. What
    /// it is the digest of cannot be copied.
    /// </summary>
    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(KeyAuthorization)]
    [InlineData("token.other")]
    public async Task Sweep_ExactNoteOfAValueThatIsNotOurs_DeletesNothing(string? keyAuthorization)
    {
        var copied = Record with { Value = DnsChallengeNames.Value("foreign.thumbprint"), KeyAuthorization = keyAuthorization };
        await PlantAsync(RecordEntry.Of(copied, _time.GetUtcNow()) with { IsAbandoned = true });

        await Sweep.RunAsync(Cancelled);

        Assert.Empty(_deleted);
        Assert.Single(await NotesAsync());
    }

    [Fact]
    public async Task Sweep_ZoneThatDoesNotHoldTheName_DeletesNothing()
    {
        await PlantAsync(RecordEntry.Of(Record with { Zone = "victim.test" }, _time.GetUtcNow()) with { IsAbandoned = true });

        await Sweep.RunAsync(Cancelled);

        Assert.Empty(_deleted);
    }

    [Fact]
    public async Task Sweep_ThousandNotes_AsksTheProviderForAFewHundredAtATime()
    {
        for (var i = 0; i < 1000; i++)
        {
            var keyAuthorization = $"token{i}.thumbprint";
            var record = Record with { Value = DnsChallengeNames.Value(keyAuthorization), KeyAuthorization = keyAuthorization };
            await PlantAsync(RecordEntry.Of(record, _time.GetUtcNow()) with { IsAbandoned = true });
        }

        Assert.True(await Sweep.RunAsync(Cancelled));

        Assert.InRange(_deleted.Count, 100, 200);
        Assert.Equal(1000 - _deleted.Count, (await NotesAsync()).Count);
    }

    Task IDnsProvider.CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        if (!_values.Contains(record.Value))
        {
            _values.Add(record.Value);
        }

        return Task.CompletedTask;
    }

    Task IDnsProvider.DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken)
    {
        if (_refuses)
        {
            throw new DnsProviderException(DnsProviderFault.Unavailable, "Busy.");
        }

        _values.Remove(record.Value);
        _deleted.Add(record.Name);
        return Task.CompletedTask;
    }

    private static RecordWriter WriterOf(DnsFixture app) => app.Services.GetRequiredService<RecordWriter>();

    private DnsFixture App()
        => new(new Dictionary<string, string?>(), dnsPort: 53, _storage, acme => acme.AddDnsProvider("Working", _ => this), _time);

    // As at SIGTERM just after the challenge was submitted.
    private async Task CreateAndStopAsync()
    {
        await WriterOf(_gone).CreateAsync(Record, this, Cancelled);
        await _gone.Services.GetRequiredService<RecordOwner>().ReleaseAsync();
    }

    private ValueTask PlantAsync(RecordEntry entry)
        => _storage.WriteAsync(
            RecordKeys.Entry(entry.ToRecord(), Guid.NewGuid().ToString("N")),
            JsonSerializer.SerializeToUtf8Bytes(entry, RecordJsonContext.Default.RecordEntry), lease: null, Cancelled);

    private Task<List<string>> NotesAsync() => RecordNotes.KeysAsync(_storage, Cancelled);
}
