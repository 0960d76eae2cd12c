using System.Text;
using Azure.Storage.Blobs.Models;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

/// <summary>
/// A holder that stops between any two of its requests, or a request that arrives late: nothing of it takes effect once the next holder
/// has the lease.
/// </summary>
public sealed class StaleWriteTests(AzuriteFixture azurite) : IAsyncLifetime
{
    private const string Name = "orders/a";
    private static readonly TimeSpan Duration = TimeSpan.FromMinutes(1);
    private BlobFixture _fixture = null!;
    private ServerHandler _slow = null!;
    private AzureBlobStorage _stale = null!;
    private IAcmeStorage _next = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _fixture = await BlobFixture.CreateAsync(azurite);
        _slow = new(_fixture.Clock);
        _stale = _fixture.OpenBlobs(_slow);
        _next = _fixture.Open();
    }

    public async ValueTask DisposeAsync()
    {
        await _fixture.DisposeAsync();
        _slow.Dispose();
    }

    [Theory]
    [InlineData("HEAD", "/values/a", true)] // Before the version is read.
    [InlineData("PUT", "/leases/orders/a", true)] // Before the key is named in the record.
    [InlineData("PUT", "/values/a", true)] // The write itself, on its way.
    [InlineData("HEAD", "/values/a", false)]
    [InlineData("PUT", "/values/a", false)] // The placeholder, on its way.
    [InlineData("PUT", "/leases/orders/a", false)]
    public async Task WriteAsync_HeldBackUntilTheNextHolderIsThere_IsRefused(string method, string end, bool exists)
    {
        if (exists)
        {
            await _next.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        }

        await using var lease = await AcquireAsync(_stale);
        var held = _slow.Hold(new HttpMethod(method), end);
        var write = _stale.WriteAsync("a", Bytes("stale"), lease, Token).AsTask();
        await held.Arrived.WaitAsync(Token);

        await _fixture.PassAsync(Duration);
        await using var next = await AcquireAsync(_next);
        var seen = await ReadAsync();
        held.Release();
        await Assert.ThrowsAsync<LeaseLostException>(() => write);

        Assert.Equal(exists ? "old" : null, seen);
        Assert.Equal(seen, await ReadAsync());
        Assert.Equal(exists ? ["a"] : [], await _next.ListAsync("", Token).ToListAsync(Token));
        await _next.WriteAsync("a", Bytes("new"), next, Token);
        Assert.Equal("new", await ReadAsync());
    }

    [Fact]
    public async Task WriteAsync_NewValueOnItsWay_IsRefusedAndLeavesNothing()
    {
        await using var lease = await AcquireAsync(_stale);
        // The first request for the blob is the placeholder.
        var held = await HoldSecondPutAsync(lease);
        await _fixture.PassAsync(Duration);
        await using var next = await AcquireAsync(_next);
        held.Held.Release();
        await Assert.ThrowsAsync<LeaseLostException>(() => held.Write);
        Assert.Null(await ReadAsync());
        Assert.Empty(await BlobsAsync("values/"));
    }

    [Fact]
    public async Task DeleteAsync_OnItsWay_IsRefused()
    {
        await _next.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        await using var lease = await AcquireAsync(_stale);
        var held = _slow.Hold(HttpMethod.Delete, "/values/a");
        var deletion = _stale.DeleteAsync("a", lease, Token).AsTask();
        await held.Arrived.WaitAsync(Token);
        await _fixture.PassAsync(Duration);
        await using var next = await AcquireAsync(_next);
        held.Release();
        await Assert.ThrowsAsync<LeaseLostException>(() => deletion);
        Assert.Equal("old", await ReadAsync());
    }

    [Fact]
    public async Task DisposeAsync_WriteOnItsWay_TheNextHolderStopsIt()
    {
        await _next.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        var lease = await AcquireAsync(_stale);
        var held = _slow.Hold(HttpMethod.Put, "/values/a");
        var write = _stale.WriteAsync("a", Bytes("late"), lease, Token).AsTask();
        await held.Arrived.WaitAsync(Token);
        await lease.DisposeAsync();
        await using var next = await AcquireAsync(_next);
        held.Release();
        await Assert.ThrowsAsync<LeaseLostException>(() => write);
        Assert.Equal("old", await ReadAsync());
    }

    [Fact]
    public async Task WriteAsync_GivenUpByTheCaller_TheNextHolderStopsIt()
    {
        await _next.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        var lease = await AcquireAsync(_stale);
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var held = _slow.Hold(HttpMethod.Put, "/values/a");
        var write = _stale.WriteAsync("a", Bytes("late"), lease, givenUp.Token).AsTask();
        await held.Arrived.WaitAsync(Token);
        await givenUp.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        await lease.DisposeAsync();

        // The request that had no answer is still named, so that the next holder gives the value a new version.
        var before = await TagAsync();
        await using var next = await AcquireAsync(_next);
        Assert.NotEqual(before, await TagAsync());
        Assert.Equal("old", await ReadAsync());
    }

    [Fact]
    public async Task DisposeAsync_AllWritesAnswered_TheNextHolderHasNothingToSeal()
    {
        await using (var lease = await AcquireAsync(_stale))
        {
            await _stale.WriteAsync("a", Bytes("1"), lease, Token);
            await _stale.WriteAsync("a", Bytes("2"), lease, Token);
            Assert.True(await _stale.DeleteAsync("a", lease, Token));
            await _stale.WriteAsync("a", Bytes("3"), lease, Token);
        }

        var before = await TagAsync();
        _fixture.Handler.Requests.Clear();
        await using var next = await AcquireAsync(_next);
        Assert.Equal(before, await TagAsync());
        Assert.DoesNotContain(_fixture.Handler.Requests, request => request.EndsWith("/values/a", StringComparison.Ordinal)
            && !request.StartsWith("HEAD", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WriteAsync_OthersWriteWithoutALease_IsRepeatedAndWins()
    {
        await _next.WriteAsync("a", Bytes("old"), cancellationToken: Token);
        await using var lease = await AcquireAsync(_stale);
        var held = _slow.Hold(HttpMethod.Put, "/values/a");
        var write = _stale.WriteAsync("a", Bytes("mine"), lease, Token).AsTask();
        await held.Arrived.WaitAsync(Token);
        await _next.WriteAsync("a", Bytes("other"), cancellationToken: Token);
        held.Release();
        await write;
        Assert.Equal("mine", await ReadAsync());
    }

    [Fact]
    public async Task WriteAsync_AnotherStoresLease_IsRefused()
    {
        var memory = new InMemoryStorage();
        await using var foreign = await memory.TryAcquireLeaseAsync(Name, Duration, Token);
        await Assert.ThrowsAsync<ArgumentException>(async () => await _next.WriteAsync("a", Bytes("x"), foreign, Token));
    }

    private async Task<(ServerHandler.Held Held, Task Write)> HoldSecondPutAsync(IStorageLease lease)
    {
        var placeholder = _slow.Hold(HttpMethod.Put, "/values/a");
        var write = _stale.WriteAsync("a", Bytes("stale"), lease, Token).AsTask();
        await placeholder.Arrived.WaitAsync(Token);
        var value = _slow.Hold(HttpMethod.Put, "/values/a");
        placeholder.Release();
        await value.Arrived.WaitAsync(Token);
        return (value, write);
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private async Task<string?> ReadAsync()
        => await _next.ReadAsync("a", Token) is { } value ? Encoding.UTF8.GetString(value.Span) : null;

    private async Task<string> TagAsync()
        => (await _fixture.Client.GetBlobClient("values/a").GetPropertiesAsync(cancellationToken: Token)).Value.ETag.ToString();

    private async Task<List<string>> BlobsAsync(string prefix)
    {
        var options = new GetBlobsOptions { Prefix = prefix };
        return await _fixture.Client.GetBlobsAsync(options, Token).Select(blob => blob.Name).ToListAsync(Token);
    }

    private static async Task<IStorageLease> AcquireAsync(IAcmeStorage storage)
    {
        var lease = await storage.TryAcquireLeaseAsync(Name, Duration, Token);
        Assert.NotNull(lease);
        return lease;
    }
}
