using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Tests.Storage;

public sealed class LeaseKeeperTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Renew_StoreThrowsAnything_IsRetriedAndDisposeDoesNotThrow()
    {
        var time = new FakeTimeProvider();
        var lease = new FaultyLease();
        var keeper = (await LeaseKeeper.TryAcquireAsync(new LeasingStorage(lease), "lease", TimeSpan.FromSeconds(30), time, Cancelled))!;

        for (var round = 1; round <= 3; round++)
        {
            await time.WhenWaitingAsync(cancellationToken: Cancelled);
            time.Advance(TimeSpan.FromSeconds(10));
            await Poll.UntilAsync(() => lease.Renewals == round, $"renewal {round}", cancellationToken: Cancelled);
        }

        await keeper.DisposeAsync();
    }

    private sealed class FaultyLease : IStorageLease
    {
        private int _renewals;

        public int Renewals => Volatile.Read(ref _renewals);

        public string Name => "lease";

        public long FencingNumber => 1;

        public CancellationToken Lost => CancellationToken.None;

        public ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
            => Interlocked.Increment(ref _renewals) < 3 ? throw new InvalidOperationException("a defect") : new(true);

        public ValueTask DisposeAsync() => throw new InvalidOperationException("a defect");
    }
}
