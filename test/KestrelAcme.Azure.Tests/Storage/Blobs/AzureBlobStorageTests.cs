using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Sas;
using KestrelAcme.Azure.Storage;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

/// <summary>The container: prefix, pages, signatures, public access, the server's own clock, and the load at rest.</summary>
public sealed class AzureBlobStorageTests(AzuriteFixture azurite)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WriteAsync_TwoPrefixesInOneContainer_AreTwoStores()
    {
        var container = await azurite.ContainerAsync();
        await using var one = Open(container, new() { Prefix = "shop/production" });
        await using var other = Open(container, new() { Prefix = "shop" });
        await one.WriteAsync("a/b", new byte[] { 1 }, cancellationToken: Token);
        await using var lease = await one.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        await using var same = await other.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token);
        Assert.NotNull(same);
        Assert.Empty(await other.ListAsync("", Token).ToListAsync(Token));
        Assert.Null(await other.ReadAsync("a/b", Token));
        Assert.Equal(["a/b"], await one.ListAsync("a/", Token).ToListAsync(Token));
        Assert.EndsWith("/shop/production", one.Place, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ListAsync_SignatureAndPagesOfTwo_ListsAll()
    {
        // The signature allows blobs only: the container's own properties are forbidden, as with many real signatures.
        var owner = await azurite.ContainerAsync();
        await owner.CreateAsync(cancellationToken: Token);
        var url = owner.GenerateSasUri(BlobContainerSasPermissions.All, TimeProvider.System.GetUtcNow().AddHours(1));
        using var handler = new ServerHandler
        {
            Redirect = to => to.Query.Contains("comp=list", StringComparison.Ordinal) ? new Uri(to.AbsoluteUri + "&maxresults=2") : to,
            Answer = request => request.RequestUri!.Query.Contains("restype=container", StringComparison.Ordinal)
                && !request.RequestUri.Query.Contains("comp=list", StringComparison.Ordinal)
                ? ServerHandler.Failure(403, "AuthorizationPermissionMismatch") : null,
        };
        await using var storage = Open(new BlobContainerClient(url, AzuriteFixture.Options(handler)), new());
        var keys = Enumerable.Range(0, 7).Select(i => $"a/{i}").ToList();
        foreach (var key in keys)
        {
            await storage.WriteAsync(key, new byte[] { 1 }, cancellationToken: Token);
        }

        Assert.Equal(keys, await storage.ListAsync("a/", Token).ToListAsync(Token));
        Assert.DoesNotContain("sig", storage.Place, StringComparison.OrdinalIgnoreCase);
        Assert.True((await storage.CheckAsync(Token)).Writable);
    }

    [Fact]
    public async Task CheckAsync_ContainerIsPublic_IsRefusedAndNothingIsStored()
    {
        var container = await azurite.ContainerAsync();
        await container.CreateAsync(PublicAccessType.Blob, cancellationToken: Token);
        await using var storage = Open(container, new());
        var health = await storage.CheckAsync(Token);
        Assert.False(health.Writable);
        Assert.Contains("public access", health.Explanation, StringComparison.Ordinal);
        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a", new byte[] { 1 }, cancellationToken: Token));
        Assert.Empty(await container.GetBlobsAsync(cancellationToken: Token).ToListAsync(Token));
    }

    [Fact]
    public async Task ReadAsync_ContainerIsMissingAndMayNotBeCreated_IsUnavailable()
    {
        var container = await azurite.ContainerAsync();
        await using var storage = Open(container, new() { CreateContainer = false });
        var failure = await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        Assert.Contains("az storage container create", failure.Message, StringComparison.Ordinal);
        Assert.Contains(container.Name, failure.Message, StringComparison.Ordinal);
        await container.CreateAsync(cancellationToken: Token);
        Assert.Null(await storage.ReadAsync("a", Token));
    }

    [Fact]
    public async Task ReadAsync_ContainerWasDeleted_IsUnavailableThenCreatedAnew()
    {
        var container = await azurite.ContainerAsync();
        await using var storage = Open(container, new());
        await storage.WriteAsync("a", new byte[] { 1 }, cancellationToken: Token);
        await container.DeleteAsync(cancellationToken: Token);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
        Assert.Null(await storage.ReadAsync("a", Token));
        await storage.WriteAsync("a", new byte[] { 2 }, cancellationToken: Token);
    }

    [Fact]
    public async Task TryAcquireLeaseAsync_ServersOwnClock_ExpiresAndGrows()
    {
        var container = await azurite.ContainerAsync();
        await using var one = Open(container, new());
        await using var other = Open(container, new());
        await using var lease = await one.TryAcquireLeaseAsync("a", TimeSpan.FromSeconds(1), Token);
        Assert.NotNull(lease);
        Assert.Null(await other.TryAcquireLeaseAsync("a", TimeSpan.FromSeconds(1), Token));
        IStorageLease? next = null;
        await Poll.UntilAsync(
            async token => (next = await other.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), token)) is not null,
            "the lease to run out",
            cancellationToken: Token);
        Assert.True(lease.Lost.IsCancellationRequested);
        Assert.True(next!.FencingNumber > lease.FencingNumber);
        // Milliseconds of the server's clock.
        Assert.InRange(next.FencingNumber, 1_750_000_000_000, 9_999_999_999_999);
        await next.DisposeAsync();
    }

    [Fact]
    public async Task WatchAsync_AtRest_SendsOneRequestPerMinute()
    {
        var time = new FakeTimeProvider();
        using var handler = new ServerHandler();
        await using var storage = new AzureBlobStorage(await azurite.ContainerAsync(handler), new(), [], time);
        await storage.WriteAsync("a/b", new byte[] { 1 }, cancellationToken: Token);
        // Every app has several watches.
        await using var first = storage.WatchAsync("a/", Token).GetAsyncEnumerator(Token);
        await using var second = storage.WatchAsync("b/", Token).GetAsyncEnumerator(Token);
        Assert.True(await first.MoveNextAsync());
        Assert.True(await second.MoveNextAsync());
        await time.WhenWaitingAsync(1, Token);
        await PassAsync(TimeSpan.FromMinutes(3));

        handler.Requests.Clear();
        for (var minute = 0; minute < 10; minute++)
        {
            await PassAsync(TimeSpan.FromMinutes(1));
        }

        Assert.Equal(10, handler.Requests.Count);
        Assert.All(handler.Requests, request => Assert.True(IsLook(request), request));

        async Task PassAsync(TimeSpan span)
        {
            var before = handler.Requests.Count;
            time.Advance(span);
            await Poll.UntilAsync(() => handler.Requests.Count > before, "the next look", cancellationToken: Token);
            await time.WhenWaitingAsync(1, Token);
        }

        static bool IsLook(string request) => request.StartsWith("HEAD ", StringComparison.Ordinal)
            && request.EndsWith("/changes", StringComparison.Ordinal);
    }

    [Fact]
    public async Task WatchAsync_OthersSayThatTheyRun_StillLooksOncePerMinute()
    {
        var time = new FakeTimeProvider();
        using var handler = new ServerHandler();
        var container = await azurite.ContainerAsync(handler);
        await using var storage = new AzureBlobStorage(container, new(), [], time);
        await using var other = Open(container, new());
        await other.WriteAsync("replicas/a", new byte[] { 1 }, cancellationToken: Token);
        await using var watch = storage.WatchAsync("replicas/", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        await time.WhenWaitingAsync(1, Token);
        await other.WriteAsync("replicas/a", new byte[] { 2 }, cancellationToken: Token);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(await watch.MoveNextAsync());
        Assert.Equal("replicas/a", watch.Current.Key);
        await time.WhenWaitingAsync(1, Token);

        Assert.True(time.NextTimerDue > TimeSpan.FromSeconds(50), $"The next look is in {time.NextTimerDue}.");
    }

    [Fact]
    public async Task WatchAsync_AnHourOfUpkeep_LooksSixtyTimes()
    {
        var time = new FakeTimeProvider();
        using var handler = new ServerHandler();
        var container = await azurite.ContainerAsync(handler);
        await using var storage = new AzureBlobStorage(container, new(), [], time);
        await using var other = Open(await azurite.ContainerOfAsync(container.Name), new());
        // The first lease of a name takes a second of the clock, which stands still for the instance that watches.
        await (await other.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token))!.DisposeAsync();
        await using var housekeeping = await other.TryAcquireLeaseAsync("housekeeping", TimeSpan.FromHours(1), Token);
        await using var watch = storage.WatchAsync("", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        await time.WhenWaitingAsync(1, Token);
        handler.Requests.Clear();

        for (var minute = 0; minute < 60; minute++)
        {
            // As each instance does at rest: renewal information a few times a day for each certificate, a sign of life every five minutes.
            var lease = await storage.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token);
            await storage.WriteAsync("states/a.json", new byte[] { 1 }, lease, Token);
            await lease!.DisposeAsync();
            await storage.WriteAsync("replicas/a", new byte[] { 1 }, cancellationToken: Token);
            Assert.Null(await storage.TryAcquireLeaseAsync("housekeeping", TimeSpan.FromMinutes(5), Token));
            await other.WriteAsync("states/b.json", new byte[] { 1 }, cancellationToken: Token);
            await other.WriteAsync("replicas/b", new byte[] { 1 }, cancellationToken: Token);
            await other.WriteAsync("housekeeping/unused.json", new byte[] { 1 }, cancellationToken: Token);
            await other.WriteAsync("revocation-lists/a.json", new byte[] { 1 }, cancellationToken: Token);
            var looks = Looks();
            time.Advance(TimeSpan.FromMinutes(1));
            await Poll.UntilAsync(() => Looks() > looks, "the next look", cancellationToken: Token);
            await time.WhenWaitingAsync(1, Token);
        }

        Assert.Equal(60, Looks());

        int Looks() => handler.Requests.Count(r => r.StartsWith("HEAD ", StringComparison.Ordinal)
            && r.EndsWith("/changes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task WatchAsync_OthersAreBusy_SeesTheChangeWithinSeconds()
    {
        var time = new FakeTimeProvider();
        var container = await azurite.ContainerAsync();
        await using var storage = new AzureBlobStorage(container, new(), [], time);
        await using var other = Open(container, new());
        await using var held = await other.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token);
        await using var watch = storage.WatchAsync("a/", Token).GetAsyncEnumerator(Token);
        Assert.True(await watch.MoveNextAsync());
        // Another instance has the lease: a certificate is about to appear.
        var refused = storage.TryAcquireLeaseAsync("orders/a", TimeSpan.FromMinutes(5), Token);
        Assert.Null(await refused);
        await other.WriteAsync("a/b", new byte[] { 1 }, cancellationToken: Token);
        var next = NextKeyAsync();
        while (!next.IsCompleted)
        {
            await time.WhenTimerDueWithinAsync(TimeSpan.FromSeconds(3), Token);
            time.Advance(TimeSpan.FromSeconds(3));
        }

        Assert.Equal("a/b", await next);

        async Task<string?> NextKeyAsync()
        {
            while (await watch.MoveNextAsync())
            {
                if (watch.Current.Key is { } key)
                {
                    return key;
                }
            }

            return null;
        }
    }

    private static AzureBlobStorage Open(BlobContainerClient container, AzureBlobStorageOptions options)
        => new(container, options, [], TimeProvider.System);
}
