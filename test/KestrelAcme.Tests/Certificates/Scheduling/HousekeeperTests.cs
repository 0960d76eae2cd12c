using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Scheduling;

public sealed class HousekeeperTests
{
    private const string Unused = "certificates/gone.test.pem";

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingPublisher _tls = new();
    private readonly InMemoryStorage _storage;
    private readonly CertificateCatalog _catalog;
    private readonly Housekeeper _housekeeper;

    public HousekeeperTests()
    {
        _storage = new InMemoryStorage(_time);
        _catalog = new CertificateCatalog(_tls);
        _housekeeper = new Housekeeper(
            _catalog, BoundedFixture.Around(_storage), Issuance, new IssuanceSettings(), Events, _time,
            NullLogger<Housekeeper>.Instance);
    }

    private static IssuanceStatus Issuance => new() { ReasonNotToOrder = null };

    private CertificateEventHub Events => new(static () => [], _time, NullLogger<CertificateEventHub>.Instance);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tidy_UnusedForTwoWeeks_IsRemovedAndWhatIsUsedStays()
    {
        _catalog.Apply([SampleCertificates.Specification("kept.test")], SampleCertificates.Configuration);
        await WriteAsync(Unused);
        await WriteAsync("certificates/kept.test.pem");
        await WriteAsync("accounts/ca.pem");

        await PassDaysAsync(13);
        Assert.True(await ExistsAsync(Unused));
        await PassDaysAsync(2);

        Assert.False(await ExistsAsync(Unused));
        Assert.True(await ExistsAsync("certificates/kept.test.pem"));
        Assert.True(await ExistsAsync("accounts/ca.pem"));
    }

    [Fact]
    public async Task Tidy_AcknowledgmentsOfAnInstanceThatIsGone_AreRemoved()
    {
        await WriteAsync("replicas/runs");
        await WriteAsync("challenges/acks/runs");
        await WriteAsync("challenges/acks/gone");

        await PassDaysAsync(16);

        Assert.True(await ExistsAsync("challenges/acks/runs"));
        Assert.False(await ExistsAsync("challenges/acks/gone"));
    }

    [Fact]
    public async Task Tidy_TheClockJumps_RemovesNothing()
    {
        await WriteAsync(Unused);
        await PassDaysAsync(2);
        _time.SetUtcNow(_time.GetUtcNow().AddYears(1));

        await PassDaysAsync(3);

        Assert.True(await ExistsAsync(Unused));
    }

    [Fact]
    public async Task Tidy_UsedAgainInTheMeantime_RestartsTheGracePeriod()
    {
        await WriteAsync(Unused);
        await PassDaysAsync(13);
        _catalog.Apply([SampleCertificates.Specification("gone.test")], SampleCertificates.Configuration);
        await PassDaysAsync(1);
        _catalog.Apply([], SampleCertificates.Configuration);

        await PassDaysAsync(5);

        Assert.True(await ExistsAsync(Unused));
    }

    [Fact]
    public async Task Tidy_AnotherInstanceIsTidying_DoesNothing()
    {
        await WriteAsync(Unused);
        await PassDaysAsync(13);
        var other = await _storage.TryAcquireLeaseAsync("housekeeping", TimeSpan.FromMinutes(10), Cancelled);
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotNull(other);
        var before = await MarksAsync();

        await _housekeeper.TidyAsync(Cancelled);

        Assert.Equal(before, await MarksAsync());
        Assert.True(await ExistsAsync(Unused));
    }

    [Fact]
    public void WithdrawExpired_NoLongerManagedAndLongOver_IsServedUntilTheThirdRound()
    {
        Retire("old.test", _time.GetUtcNow().AddDays(-20));
        Retire("fresh.test", _time.GetUtcNow().AddDays(60));

        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(-14));
        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(-14));
        Assert.Empty(_tls.Withdrawn);
        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(-14));

        Assert.Equal(["old.test"], _tls.Withdrawn);
    }

    [Fact]
    public void WithdrawExpired_ManagedAgain_IsServed()
    {
        Retire("old.test", _time.GetUtcNow().AddDays(-20));
        _catalog.Apply([SampleCertificates.Specification("old.test")], SampleCertificates.Configuration);

        for (var i = 0; i < 5; i++)
        {
            _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(-14));
        }

        Assert.Empty(_tls.Withdrawn);
    }

    [Fact]
    public void WithdrawExpired_TheClockJumpedAndCameBack_IsServed()
    {
        Retire("fresh.test", _time.GetUtcNow().AddDays(60));

        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(300));
        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(300));
        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(-14));
        _catalog.WithdrawExpired(_time.GetUtcNow().AddDays(300));

        Assert.Empty(_tls.Withdrawn);
    }

    [Fact]
    public async Task Run_StoreFails_ChecksItAtOnceAndEveryMinuteUntilItResponds()
    {
        var checks = new CheckedStorage(_storage);
        var storage = BoundedFixture.Around(checks, _time);
        var housekeeper = new Housekeeper(
            _catalog, storage, Issuance, new IssuanceSettings(), Events, _time, NullLogger<Housekeeper>.Instance);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        var running = housekeeper.RunAsync(stopping.Token);

        // Three timers: the round of the day, the look at late renewals, and the next check.
        await _time.WhenWaitingAsync(3, Cancelled);
        checks.Responds = false;
        storage.Monitor.Failed(StorageOperation.Read, new StorageUnavailableException("Gone."), Cancelled);
        await Poll.UntilAsync(() => checks.Count == 1, "a check at once", cancellationToken: Cancelled);
        Assert.NotNull(storage.Monitor.Fault);

        await _time.WhenWaitingAsync(2, Cancelled);
        checks.Responds = true;
        _time.Advance(TimeSpan.FromMinutes(1));
        await Poll.UntilAsync(() => storage.Monitor.Fault is null, "a check after a minute", cancellationToken: Cancelled);

        await stopping.CancelAsync();
        await running;
    }

    private void Retire(string name, DateTimeOffset notAfter)
    {
        var others = _catalog.All.Select(c => c.Specification).ToList();
        _catalog.Apply([.. others, SampleCertificates.Specification(name)], SampleCertificates.Configuration);
        _catalog.Find(name)!.Current = SampleCertificates.Snapshot(name, notAfter.AddDays(-90), notAfter);
        _catalog.Apply(others, SampleCertificates.Configuration);
    }

    private async Task PassDaysAsync(int days)
    {
        for (var i = 0; i < days; i++)
        {
            await _housekeeper.TidyAsync(Cancelled);
            _time.Advance(TimeSpan.FromDays(1));
        }
    }

    private async Task<byte[]> MarksAsync() => (await _storage.ReadAsync(StorageLayout.Housekeeping, Cancelled))!.Value.ToArray();

    private async Task WriteAsync(string key) => await _storage.WriteAsync(key, "x"u8.ToArray(), cancellationToken: Cancelled);

    private async Task<bool> ExistsAsync(string key) => await _storage.ReadAsync(key, Cancelled) is not null;
}
