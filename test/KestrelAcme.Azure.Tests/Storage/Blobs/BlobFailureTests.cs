using System.Net.Sockets;
using Azure.Core;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Storage;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

/// <summary>What a failure says: the place, plain words and the fix, and never a key or a signature.</summary>
public sealed class BlobFailureTests
{
    private const string Secret = "c2VjcmV0LWFjY291bnQta2V5LXZhbHVl";
    private static readonly Uri Url = new("https://shop.blob.core.windows.net/kestrelacme");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(403, "AuthorizationPermissionMismatch", null, "'Storage Blob Data Contributor'")]
    [InlineData(403, "AuthenticationFailed", null, "has expired")]
    [InlineData(403, "KeyBasedAuthenticationNotPermitted", null, "TokenCredential")]
    [InlineData(401, "NoAuthenticationInformation", null, "another tenant")]
    [InlineData(404, null, null, "leads to something else")]
    [InlineData(404, "ResourceNotFound", null, "leads to something else")]
    [InlineData(404, "ContainerNotFound", null, "az storage container create")]
    [InlineData(409, "ContainerBeingDeleted", null, "half a minute")]
    [InlineData(409, "BlobImmutableDueToPolicy", null, "immutability policy")]
    [InlineData(412, "LeaseIdMissing", null, "az storage blob lease break")]
    [InlineData(429, "TooManyRequests", "1", "asks to wait 1 s")]
    [InlineData(503, "ServerBusy", "1", "asks to wait 1 s")]
    [InlineData(500, "OperationTimedOut", null, "tries again")]
    public async Task AnyMember_ServiceRefuses_IsUnavailableAndSaysWhatToDo(int status, string? code, string? retryAfter, string expected)
    {
        using var handler = new ServerHandler { Answer = _ => ServerHandler.Failure(status, code, retryAfter) };
        await using var storage = Open(handler, out _);
        foreach (var failure in await FailuresAsync(storage))
        {
            Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
            Assert.Contains("shop.blob.core.windows.net/kestrelacme", failure.Message, StringComparison.Ordinal);
            Assert.Contains($"{status}", failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain(Secret, failure.ToString(), StringComparison.Ordinal);
        }

        var health = await storage.CheckAsync(Token);
        Assert.False(health.Readable || health.Writable);
        Assert.Contains(expected, health.Explanation, StringComparison.Ordinal);
        Assert.Equal("shop.blob.core.windows.net/kestrelacme", health.Place);
    }

    [Fact]
    public async Task AnyMember_HostIsUnknown_SaysSo()
    {
        using var handler = new ServerHandler
        {
            Answer = _ => throw new HttpRequestException(
                HttpRequestError.NameResolutionError, "No such host is known.", new SocketException((int)SocketError.HostNotFound)),
        };
        await using var storage = Open(handler, out _);
        Assert.All(
            await FailuresAsync(storage), failure => Assert.Contains("cannot be resolved", failure.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnyMember_NothingListens_SaysSo()
    {
        var options = AzuriteFixture.Options(null);
        var url = new Uri($"http://127.0.0.1:{Testing.FreePort.Tcp()}/account/container");
        await using var storage = new AzureBlobStorage(
            new BlobContainerClient(url, new StorageSharedKeyCredential("account", Secret), options), new(), [Secret], TimeProvider.System);
        Assert.All(
            await FailuresAsync(storage), failure => Assert.Contains("cannot be reached", failure.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task AnyMember_SignatureIsRepeatedByTheService_IsNotQuoted()
    {
        const string Signature = "c2lnbmF0dXJlLXZhbHVlLXRoYXQtaXMtc2VjcmV0";
        using var handler = new ServerHandler { Answer = _ => ServerHandler.Failure(403, Signature) };
        var url = new Uri($"{Url}?sv=2025-01-05&sr=c&sp=rwdl&sig={Signature}%3D");
        await using var storage = new AzureBlobStorage(
            new BlobContainerClient(url, AzuriteFixture.Options(handler)), new(), [], TimeProvider.System);
        foreach (var failure in await FailuresAsync(storage))
        {
            Assert.DoesNotContain(Signature, failure.ToString(), StringComparison.Ordinal);
            Assert.Contains("HTTP 403", failure.Message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain(Signature, $"{(await storage.CheckAsync(Token))}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnyMember_NoToken_SaysWhereIdentitiesComeFrom()
    {
        var credential = new StaticCredential("", new CredentialUnavailableException("ManagedIdentityCredential: no endpoint."));
        using var handler = new ServerHandler();
        await using var storage = new AzureBlobStorage(
            new BlobContainerClient(Url, (TokenCredential)credential, AzuriteFixture.Options(handler)), new(), [], TimeProvider.System);
        Assert.All(await FailuresAsync(storage), failure =>
        {
            Assert.Contains("no endpoint", failure.Message, StringComparison.Ordinal);
            Assert.Contains("managed identity", failure.Message, StringComparison.Ordinal);
        });
        Assert.Empty(handler.Requests);
    }

    [Fact]
    public async Task ReadAsync_AnswerOfAProxy_IsNeverMissing()
    {
        using var handler = new ServerHandler();
        await using var storage = Open(handler, out _);
        handler.Answer = request => request.RequestUri!.AbsolutePath.EndsWith("/values/a", StringComparison.Ordinal)
            ? ServerHandler.Failure(404, null)
            : new HttpResponseMessage(System.Net.HttpStatusCode.OK);
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token));
    }

    private static AzureBlobStorage Open(ServerHandler handler, out BlobContainerClient container)
    {
        container = new BlobContainerClient(Url, new StorageSharedKeyCredential("shop", Secret), AzuriteFixture.Options(handler));
        return new(container, new(), [Secret], TimeProvider.System);
    }

    private static async Task<List<StorageUnavailableException>> FailuresAsync(AzureBlobStorage storage) =>
    [
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ReadAsync("a", Token)),
        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.WriteAsync("a", new byte[] { 1 }, cancellationToken: Token)),
        await Assert.ThrowsAsync<StorageUnavailableException>(async () => await storage.ListAsync("", Token).ToListAsync(Token)),
        await Assert.ThrowsAsync<StorageUnavailableException>(
            async () => await storage.TryAcquireLeaseAsync("a", TimeSpan.FromMinutes(1), Token)),
    ];
}
