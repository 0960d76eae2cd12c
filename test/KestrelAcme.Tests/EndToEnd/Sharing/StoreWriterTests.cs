using System.Security.Cryptography.X509Certificates;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using IPAddress = System.Net.IPAddress;
using IPEndPoint = System.Net.IPEndPoint;

namespace KestrelAcme.Tests.EndToEnd.Sharing;

/// <summary>Someone who can write to the store, and nothing else, tries to have an account of his own validated.</summary>
public sealed class StoreWriterTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http-01", false)]
    [InlineData("http-01", true)]
    [InlineData("tls-alpn-01", false)]
    [InlineData("tls-alpn-01", true)]
    public async Task Validate_WithARecordOfAStranger_Fails(string type, bool isEarlierFormat)
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, storage);
        await app.ObtainedAsync(Name);
        using var stranger = await Stranger.RegisterAsync(fixture);
        var (authorization, token) = await stranger.OrderAsync(type);

        await storage.WriteAsync(
            $"challenges/{type}/{StorageKey.Hash(type == "http-01" ? token : Name)}",
            stranger.Record(type, token, isEarlierFormat),
            null,
            Cancelled);
        if (!isEarlierFormat)
        {
            await Poll.UntilAsync(() => IsLearned(app, type), "the record to be taken over", cancellationToken: Cancelled);
        }

        var result = await stranger.ValidateAsync(type, authorization);

        Assert.Equal(AuthorizationStatus.Invalid, result.Status);
        var problem = Assert.Single(fixture.Authority.Validations, v => v.Problem is not null).Problem!;
        Assert.DoesNotContain($"but {token}.{stranger.Thumbprint}", problem, StringComparison.Ordinal);
        if (!isEarlierFormat && type == "http-01")
        {
            var (_, answer) = await RawHttp.SendAsync(app.Http, "GET", $"/.well-known/acme-challenge/{token}", Name, Cancelled);
            Assert.EndsWith($"{token}.{await OwnThumbprintAsync(app)}", answer, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Validate_TheStoredAccountWasReplaced_FailsAndOrdersGoOnWithTheHeldOne()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var app = await StartAsync(fixture, storage);
        await app.ObtainedAsync(Name);
        var own = await OwnThumbprintAsync(app);
        using var stranger = await Stranger.RegisterAsync(fixture);
        await app.Services.GetRequiredService<CertificateStore>().WriteAccountAsync(
            IdOf(app), stranger.Account(fixture), lease: null, Cancelled);
        var (authorization, token) = await stranger.OrderAsync("http-01");
        await storage.WriteAsync($"challenges/http-01/{StorageKey.Hash(token)}", stranger.Record("http-01", token, false), null, Cancelled);
        await Poll.UntilAsync(() => IsLearned(app, "http-01"), "the record to be taken over", cancellationToken: Cancelled);

        var result = await stranger.ValidateAsync("http-01", authorization);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.Equal(AuthorizationStatus.Invalid, result.Status);
        var (_, answer) = await RawHttp.SendAsync(app.Http, "GET", $"/.well-known/acme-challenge/{token}", Name, Cancelled);
        Assert.EndsWith($"{token}.{own}", answer, StringComparison.Ordinal);
        Assert.Equal(2, fixture.Authority.Issued.Count);
        Assert.Single(fixture.Authority.Issued.Select(i => i.AccountId).Distinct());
        Assert.True(app.Log.Has("AccountKeyNotProved"));
        Assert.Single(app.Log.Lines, line => line.Event.Name == "AccountKeyNotProved");
    }

    [Fact]
    public async Task Order_AfterAnInstanceReplacedTheKey_TheOthersRespondWithTheNewOne()
    {
        var storage = new InMemoryStorage();
        await using var fixture = await LocalFixture.StartAsync();
        await using var other = await StartAsync(fixture, storage, "ServeOnly");
        await using var app = await StartAsync(fixture, storage);
        fixture.Authority.Resolve(Name, other.Http);
        await app.ObtainedAsync(Name);

        await app.Certificates.RolloverAccountKeyAsync(Cancelled);
        await app.Certificates.RenewAsync(Name, Cancelled);

        Assert.All(fixture.Authority.Validations, v => Assert.Null(v.Problem));
        Assert.False(other.Log.Has("AccountKeyNotProved"));
    }

    private static bool IsLearned(AcmeApp app, string type)
        => app.Services.GetServices<ISharedChallengeTable>().Single(t => t.Type == type).Acknowledged.Any();

    private static async Task<string> OwnThumbprintAsync(AcmeApp app)
    {
        var stored = await app.Services.GetRequiredService<CertificateStore>().ReadAccountAsync(IdOf(app), Cancelled);
        using var key = AccountKey.FromPem(stored!.PrivateKeyPem);
        return key.Thumbprint;
    }

    private static string IdOf(AcmeApp app) => app.Services.GetRequiredService<ConfigurationSource>().Current.Authorities[0].Id;

    private static Task<AcmeApp> StartAsync(LocalFixture fixture, IAcmeStorage storage, string issuance = "Automatic")
    {
        var (http, https) = (FreePort.Tcp(), FreePort.Tcp());
        fixture.Authority.Resolve(Name, new IPEndPoint(IPAddress.Loopback, http), new IPEndPoint(IPAddress.Loopback, https));
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:Issuance"] = issuance;
        settings["urls"] = $"http://127.0.0.1:{http};https://127.0.0.1:{https}";
        return AcmeApp.StartAsync(settings, configure: QuickIssuance.Apply, storage: storage, cancellationToken: Cancelled);
    }

    /// <summary>Has an account of his own at the same authority, and no name that leads to him.</summary>
    private sealed class Stranger(AcmeClient client, AccountKey key, AcmeAccount account) : IDisposable
    {
        public string Thumbprint => key.Thumbprint;

        public static async Task<Stranger> RegisterAsync(LocalFixture fixture)
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPem(fixture.Authority.RootPem);
            var client = new AcmeClient(fixture.Authority.DirectoryUrl, new AcmeClientOptions { TrustedRoots = roots });
            var key = AccountKey.Generate();
            return new(client, key, await client.CreateAccountAsync(key, new NewAccountRequest { TermsOfServiceAgreed = true }, Cancelled));
        }

        public async Task<(Authorization Authorization, string Token)> OrderAsync(string type)
        {
            var order = await account.CreateOrderAsync(new NewOrderRequest { Identifiers = [AcmeIdentifier.Parse(Name)] }, Cancelled);
            var authorization = await account.GetAuthorizationAsync(order.AuthorizationUrls[0], Cancelled);
            return (authorization, authorization.FindChallenge(type)!.Token!);
        }

        public byte[] Record(string type, string token, bool isEarlierFormat)
        {
            var keyAuthorization = key.KeyAuthorization(token);
            return Encoding.ASCII.GetBytes(!isEarlierFormat
                ? new SharedChallenge
                {
                    Type = type,
                    IdentifierType = "dns",
                    Identifier = Name,
                    Token = token,
                    DirectoryUrl = client.DirectoryUrl,
                }.Encode() + "\n0123.0123456789abcdef. 2026-11-21T11:00:00.0000000+00:00"
                : type == "http-01" ? keyAuthorization
                : $"dns {Name} {keyAuthorization}");
        }

        public AccountRecord Account(LocalFixture fixture) => new(
            key.ExportPkcs8Pem(),
            new AccountMetadata
            {
                DirectoryUrl = fixture.Authority.DirectoryUrl,
                AccountUrl = account.Url,
                CreatedAt = TimeProvider.System.GetUtcNow(),
            });

        public async Task<Authorization> ValidateAsync(string type, Authorization authorization)
        {
            await account.AcceptChallengeAsync(authorization.FindChallenge(type)!.Url, Cancelled);
            return await account.WaitForAuthorizationAsync(authorization.Url, null, Cancelled);
        }

        public void Dispose()
        {
            client.Dispose();
            key.Dispose();
        }
    }
}
