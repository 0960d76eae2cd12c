using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage.Bounded;

/// <summary>Calls to a store that does not respond in time.</summary>
public sealed class BoundedStorageTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly InMemoryStorage _inner = new();
    private readonly FakeTimeProvider _time = new();
    private readonly SilentStorage _silent;
    private readonly BoundedStorage _storage;

    public BoundedStorageTests()
    {
        _silent = new SilentStorage(_inner);
        _storage = new BoundedStorage(_silent, Limit, _time);
    }

    public static TheoryData<string> Questions => [.. Asked.Keys];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static Dictionary<string, Func<IAcmeStorage, CancellationToken, Task>> Asked { get; } = new()
    {
        ["read"] = (s, t) => s.ReadAsync("a", t).AsTask(),
        ["write"] = (s, t) => s.WriteAsync("a", new byte[] { 1 }, lease: null, t).AsTask(),
        ["delete"] = (s, t) => s.DeleteAsync("a", lease: null, t).AsTask(),
        ["lease"] = (s, t) => s.TryAcquireLeaseAsync("a", Limit, t).AsTask(),
        ["read many"] = (s, t) => s.ReadManyAsync(["a"], t).ToListAsync(t).AsTask(),
        ["list"] = (s, t) => s.ListAsync("", t).ToListAsync(t).AsTask(),
    };

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task Call_NoResponseInTime_IsUnavailable(string question)
    {
        var asked = Asked[question](_storage, Cancelled);
        Assert.False(asked.IsCompleted);

        _time.Advance(Limit);

        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(() => asked);
        Assert.Contains("60 s", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Questions))]
    public async Task Call_CanceledWhileSilent_IsCanceled(string question)
    {
        using var cancelling = new CancellationTokenSource();
        var asked = Asked[question](_storage, cancelling.Token);

        await cancelling.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
    }

    [Fact]
    public async Task Check_NoResponseInTime_ReportsIt()
    {
        var asked = _storage.CheckAsync(Cancelled);

        _time.Advance(Limit);

        Assert.False((await asked).Readable);
    }

    [Fact]
    public async Task Lease_GrantedTooLate_IsReleased()
    {
        var asked = _storage.TryAcquireLeaseAsync("a", TimeSpan.FromHours(1), Cancelled).AsTask();
        _time.Advance(Limit);
        await Assert.ThrowsAsync<StorageUnavailableException>(() => asked);

        _silent.Answer();

        await Poll.UntilAsync(
            async _ => await _inner.TryAcquireLeaseAsync("a", TimeSpan.FromHours(1), Cancelled) is not null,
            "the lease is free",
            cancellationToken: Cancelled);
    }
}
