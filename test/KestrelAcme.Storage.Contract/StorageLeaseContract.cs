using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>Leases: one holder, an expiry, an increasing number.</summary>
public abstract class StorageLeaseContract : StorageContract
{
    private const string Name = "orders/example.com";

    /// <summary>The duration of a lease; short if the store uses real time.</summary>
    protected virtual TimeSpan Duration => TimeSpan.FromMinutes(1);

    [Fact]
    public async Task TryAcquireLeaseAsync_Held_NullForEveryInstance()
    {
        await using var lease = await AcquireAsync();
        Assert.Equal(Name, lease.Name);
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.Null(await Storage.TryAcquireLeaseAsync(Name, Duration, Token));
        Assert.Null(await Fixture.Open().TryAcquireLeaseAsync(Name, Duration, Token));
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_OtherName_IsFree()
    {
        await using var lease = await AcquireAsync();
        await using var other = await Storage.TryAcquireLeaseAsync(Name + ".other", Duration, Token);
        Assert.NotNull(other);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ManyAtOnce_OneGetsIt()
    {
        var instances = Enumerable.Range(0, 4).Select(_ => Fixture.Open()).ToArray();
        var leases = await Task.WhenAll(Enumerable.Range(0, 32).Select(i =>
            Task.Run(async () => await instances[i % 4].TryAcquireLeaseAsync(Name, Duration, Token), Token)));
        Assert.Single(leases, lease => lease is not null);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(90_000)]
    public async Task TryAcquireLeaseAsync_DurationOutOfRange_IsRefused(int seconds)
        => await Assert.ThrowsAsync<ArgumentOutOfRangeException>(
            async () => await Storage.TryAcquireLeaseAsync(Name, TimeSpan.FromSeconds(seconds), Token));

    [Fact]
    public async Task DisposeAsync_Held_OthersCanTakeItAtOnceAndNothingIsLost()
    {
        var lease = await AcquireAsync();
        await lease.DisposeAsync();
        await lease.DisposeAsync();
        Assert.False(lease.Lost.IsCancellationRequested);
        Assert.False(await lease.RenewAsync(Token));
        await using var next = await AcquireAsync(Fixture.Open());
    }

    [Fact]
    public async Task FencingNumber_EveryLease_Grows()
    {
        long last = 0;
        for (var i = 0; i < 4; i++)
        {
            var lease = await AcquireAsync(Fixture.Open());
            Assert.True(lease.FencingNumber > last);
            last = lease.FencingNumber;
            if (i % 2 == 0)
            {
                await lease.DisposeAsync();
            }
            else
            {
                await Fixture.PassAsync(Duration);
            }
        }
    }

    [Fact]
    public async Task Lost_NotRenewed_FiresAtTheEndAndOthersCanTakeIt()
    {
        await using var lease = await AcquireAsync();
        await Fixture.PassAsync(Duration);
        await UntilAsync(() => new(lease.Lost.IsCancellationRequested), "the lease to be lost");
        Assert.False(await lease.RenewAsync(Token));
        await using var next = await AcquireAsync(Fixture.Open());
        Assert.False(await lease.RenewAsync(Token));
    }

    [Fact]
    public async Task RenewAsync_InTime_CountsFromNow()
    {
        await using var lease = await AcquireAsync();
        for (var i = 0; i < 4; i++)
        {
            await Fixture.PassAsync(Duration * 0.6);
            Assert.True(await lease.RenewAsync(Token));
            Assert.False(lease.Lost.IsCancellationRequested);
            Assert.Null(await Fixture.Open().TryAcquireLeaseAsync(Name, Duration, Token));
        }
    }

    [Fact]
    public async Task DisposeAsync_AfterAnotherTookIt_LeavesTheOtherAlone()
    {
        var first = await AcquireAsync();
        await Fixture.PassAsync(Duration);
        await using var second = await AcquireAsync(Fixture.Open());
        await first.DisposeAsync();
        Assert.Null(await Storage.TryAcquireLeaseAsync(Name, Duration, Token));
        Assert.True(await second.RenewAsync(Token));
        Assert.False(second.Lost.IsCancellationRequested);
    }

    [Fact]
    public async Task WriteAsync_UnderALeaseThatHolds_Writes()
    {
        await using var lease = await AcquireAsync();
        await Storage.WriteAsync("a", Bytes("1"), lease, Token);
        Assert.True(await lease.RenewAsync(Token));
        await Storage.WriteAsync("a", Bytes("2"), lease, Token);
        Assert.Equal("2", await ReadTextAsync("a"));
        Assert.True(await Storage.DeleteAsync("a", lease, Token));
    }

    [Fact]
    public async Task WriteAsync_UnderALeaseThatRanOut_IsRefused()
    {
        await Storage.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        await using var lease = await AcquireAsync();
        await Fixture.PassAsync(Duration);
        await AssertRefusedAsync(lease);
        await using var next = await AcquireAsync(Fixture.Open());
        await AssertRefusedAsync(lease);
    }

    [Fact]
    public async Task WriteAsync_UnderALeaseThatWasGivenBack_IsRefused()
    {
        await Storage.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        var lease = await AcquireAsync();
        await lease.DisposeAsync();
        await AssertRefusedAsync(lease);
    }

    [Fact]
    public async Task Lost_NotRenewed_IsCanceledBeforeAnotherGetsTheLease()
    {
        await using var lease = await AcquireAsync();
        var lostAt = new TaskCompletionSource();
        await using var registration = lease.Lost.Register(lostAt.SetResult);
        await Fixture.PassAsync(Duration * 0.95);
        await UntilAsync(() => new(lostAt.Task.IsCompleted), "the lease to be lost a little before its end");
        await Fixture.PassAsync(Duration * 0.1);
        await using var next = await AcquireAsync(Fixture.Open());
        Assert.True(next.FencingNumber > lease.FencingNumber);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    public async Task TryAcquireLeaseAsync_ClockOfTheOtherIsWrong_MakesNoDifference(int days)
    {
        var other = Fixture.Open(TimeSpan.FromDays(days));
        var lease = await AcquireAsync();
        Assert.Null(await other.TryAcquireLeaseAsync(Name, Duration, Token));
        await Storage.WriteAsync("a", Bytes("1"), lease, Token);
        await lease.DisposeAsync();

        await using var second = await AcquireAsync(other);
        Assert.True(second.FencingNumber > lease.FencingNumber);
        Assert.Null(await Storage.TryAcquireLeaseAsync(Name, Duration, Token));
        await other.WriteAsync("a", Bytes("2"), second, Token);
        Assert.True(await second.RenewAsync(Token));
        await AssertRefusedAsync(lease, "2");

        await Fixture.PassAsync(Duration);
        await using var third = await AcquireAsync();
        Assert.True(third.FencingNumber > second.FencingNumber);
    }

    [Fact]
    public async Task FencingNumber_StoreWasEmptied_StillGrows()
    {
        var lease = await AcquireAsync();
        Assert.SkipUnless(await Fixture.EmptyAsync(), "Nobody can empty this store.");
        await Fixture.PassAsync(TimeSpan.FromMilliseconds(100));
        await using var next = await AcquireAsync(Fixture.Open());
        Assert.True(next.FencingNumber > lease.FencingNumber, $"{next.FencingNumber} after {lease.FencingNumber}");
        await Assert.ThrowsAsync<LeaseLostException>(async () => await Storage.WriteAsync("a", Bytes("stale"), lease, Token));
        Assert.False(await lease.RenewAsync(Token));
        Assert.Null(await ReadTextAsync("a"));
    }

    private async Task AssertRefusedAsync(IStorageLease lease, string remains = "old")
    {
        var refusal = await Assert.ThrowsAsync<LeaseLostException>(async () => await Storage.WriteAsync("a", Bytes("new"), lease, Token));
        Assert.Equal(Name, refusal.LeaseName);
        await Assert.ThrowsAsync<LeaseLostException>(async () => await Storage.DeleteAsync("a", lease, Token));
        Assert.Equal(remains, await ReadTextAsync("a"));
    }

    private async Task<IStorageLease> AcquireAsync(IAcmeStorage? storage = null)
    {
        var lease = await (storage ?? Storage).TryAcquireLeaseAsync(Name, Duration, Token);
        Assert.NotNull(lease);
        return lease;
    }
}
