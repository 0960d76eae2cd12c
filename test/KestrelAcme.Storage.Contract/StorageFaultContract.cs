using Xunit;

namespace KestrelAcme.Storage.Contract;

/// <summary>A store that cannot be reached: unavailable is never missing, and everything goes on once it is back.</summary>
public abstract class StorageFaultContract : StorageContract
{
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(5);

    [Fact]
    public async Task AnyMember_StoreIsUnreachable_IsUnavailableAndNeverMissing()
    {
        await Storage.WriteAsync("a/b", Bytes("1"), cancellationToken: Token);
        await BreakAsync();

        await AssertUnavailableAsync(async () => await Storage.ReadAsync("a/b", Token));
        await AssertUnavailableAsync(async () => await Storage.ReadAsync("a/missing", Token));
        await AssertUnavailableAsync(async () => await Storage.ReadManyAsync(["a/b"], Token).ToListAsync(Token));
        await AssertUnavailableAsync(async () => await Storage.ListAsync("a/", Token).ToListAsync(Token));
        await AssertUnavailableAsync(async () => await Storage.WriteAsync("a/b", Bytes("2"), cancellationToken: Token));
        await AssertUnavailableAsync(async () => await Storage.DeleteAsync("a/b", cancellationToken: Token));
        await AssertUnavailableAsync(async () => await Storage.TryAcquireLeaseAsync("a", Duration, Token));
        var health = await Storage.CheckAsync(Token);
        Assert.False(health.Readable);
        Assert.False(health.Writable);
        Assert.False(string.IsNullOrWhiteSpace(health.Explanation));
    }

    [Fact]
    public async Task AnyMember_StoreIsBack_WorksAgainWithWhatWasStored()
    {
        await Storage.WriteAsync("a/b", Bytes("1"), cancellationToken: Token);
        await BreakAsync();
        await AssertUnavailableAsync(async () => await Storage.ReadAsync("a/b", Token));
        await Fixture.RestoreAsync();

        await UntilAsync(async () => (await Storage.CheckAsync(Token)).Writable, "the store to be reachable again");
        Assert.Equal("1", await ReadTextAsync("a/b"));
        await using var lease = await Storage.TryAcquireLeaseAsync("a", Duration, Token);
        Assert.NotNull(lease);
        await Storage.WriteAsync("a/b", Bytes("2"), lease, Token);
        Assert.Equal("2", await ReadTextAsync("a/b", Fixture.Open()));
    }

    [Fact]
    public async Task RenewAsync_StoreIsUnreachable_ThrowsAndTheLeaseGoesOnAfterwards()
    {
        await using var lease = await Storage.TryAcquireLeaseAsync("a", Duration, Token);
        Assert.NotNull(lease);
        await BreakAsync();
        await AssertUnavailableAsync(async () => await lease.RenewAsync(Token));
        Assert.False(lease.Lost.IsCancellationRequested);
        await Fixture.RestoreAsync();

        await UntilAsync(async () => (await Storage.CheckAsync(Token)).Writable, "the store to be reachable again");
        Assert.True(await lease.RenewAsync(Token));
        Assert.Null(await Fixture.Open().TryAcquireLeaseAsync("a", Duration, Token));
        await Storage.WriteAsync("a/b", Bytes("1"), lease, Token);
    }

    [Fact]
    public async Task DisposeAsync_StoreIsUnreachable_DoesNotThrow()
    {
        var lease = await Storage.TryAcquireLeaseAsync("a", Duration, Token);
        Assert.NotNull(lease);
        await BreakAsync();
        await lease.DisposeAsync();
        await AssertEndedAsync(async () => await lease.RenewAsync(Token));
    }

    private async Task BreakAsync() => Assert.SkipUnless(await Fixture.BreakAsync(), "This store cannot become unreachable.");

    private static async Task AssertUnavailableAsync(Func<Task> action) => await Assert.ThrowsAsync<StorageUnavailableException>(action);

    private static async Task AssertEndedAsync(Func<Task<bool>> action)
    {
        try
        {
            Assert.False(await action());
        }
        catch (StorageUnavailableException)
        {
            // As good: the caller learns that the lease cannot be relied on.
        }
    }
}
