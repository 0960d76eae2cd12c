using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class LeaseWaitTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly InMemoryStorage _storage;

    public LeaseWaitTests() => _storage = new InMemoryStorage(_time);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Acquire_HeldForever_FailsAndNamesTheLease()
    {
        await using var other = await _storage.TryAcquireLeaseAsync("accounts/ca", TimeSpan.FromHours(1), Cancelled);
        var waiting = AcquireAsync();

        await PassUntilDoneAsync(waiting);

        var exception = await Assert.ThrowsAsync<StorageUnavailableException>(() => waiting);
        Assert.Contains("'accounts/ca'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("3 minutes", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Acquire_HolderDied_GetsItWhenTheLeaseEnds()
    {
        Assert.NotNull(await _storage.TryAcquireLeaseAsync("accounts/ca", TimeSpan.FromMinutes(2), Cancelled));
        var waiting = AcquireAsync();

        await PassUntilDoneAsync(waiting);

        await using var lease = await waiting;
        Assert.NotNull(lease);
    }

    private Task PassUntilDoneAsync(Task waiting) => Poll.UntilAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromSeconds(20));
            return waiting.IsCompleted;
        },
        "the end of the wait",
        cancellationToken: Cancelled);

    private Task<IStorageLease> AcquireAsync()
        => LeaseWait.AcquireAsync(
            _storage, "accounts/ca", TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(3), _time, Cancelled);
}
