using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Security.KeyVault.Secrets;
using KestrelAcme.Azure.Storage.KeyVault;
using KestrelAcme.Azure.Tests.Storage.Blobs;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Contract;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

/// <summary>A stub of Key Vault over HTTPS, and an index in a new container of Azurite.</summary>
internal sealed class KeyVaultFixture : IStorageFixture
{
    public const string Token = "vault-token-value";

    private readonly LoopbackCertificate _certificate;
    private readonly StubApi _api;

    private KeyVaultFixture(BlobFixture index, KeyVaultStub stub, StubApi api, LoopbackCertificate certificate)
    {
        (Index, Stub, _api, _certificate) = (index, stub, api, certificate);
        Handler = new(inner: new SocketsHttpHandler
        {
            SslOptions = new()
            {
                // This machine does not trust the stub's certificate.
                RemoteCertificateValidationCallback = (_, served, _, _) => served?.GetCertHashString() == certificate.Server.Thumbprint,
            },
        });
    }

    public BlobFixture Index { get; }

    public KeyVaultStub Stub { get; }

    public ServerHandler Handler { get; }

    public string Host => _api.Url.Authority;

    public static async ValueTask<KeyVaultFixture> CreateAsync(AzuriteFixture azurite)
    {
        var index = await BlobFixture.CreateAsync(azurite);
        var stub = new KeyVaultStub(Token);
        var certificate = LoopbackCertificate.Create();
        var api = await StubApi.StartAsync(stub.Map, TestContext.Current.CancellationToken, certificate.Server);
        return new(index, stub, api, certificate);
    }

    public IAcmeStorage Open(TimeSpan clockOffset = default) => OpenVault(Index.Handler, clockOffset);

    /// <summary>Opens another instance, whose requests to the index can be held back.</summary>
    public AzureKeyVaultStorage OpenVault(ServerHandler index, TimeSpan clockOffset = default, TokenCredential? credential = null)
    {
        var options = new SecretClientOptions
        {
            Transport = new HttpClientTransport(Handler),
            DisableChallengeResourceVerification = true,
        };
        options.Retry.MaxRetries = 1;
        options.Retry.Delay = TimeSpan.FromMilliseconds(10);
        var client = new SecretClient(_api.Url, credential ?? new StaticCredential(Token), options);
        var time = clockOffset == TimeSpan.Zero ? (TimeProvider)Index.Clock : new WrongClock(Index.Clock, clockOffset);
        return new(client, Index.OpenBlobs(index, clockOffset), "kestrelacme", [Token], time);
    }

    public Task PassAsync(TimeSpan span) => Index.PassAsync(span);

    public Task<bool> BreakAsync()
    {
        Handler.IsBroken = true;
        return Index.BreakAsync();
    }

    public Task RestoreAsync()
    {
        Handler.IsBroken = false;
        return Index.RestoreAsync();
    }

    public Task<bool> EmptyAsync()
    {
        Stub.Clear();
        return Index.EmptyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Index.DisposeAsync();
        Handler.Dispose();
        await _api.DisposeAsync();
        _certificate.Dispose();
    }
}
