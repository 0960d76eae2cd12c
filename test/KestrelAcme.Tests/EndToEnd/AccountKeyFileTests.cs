using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>An account that the operator already has is used, and no other one is registered.</summary>
public sealed class AccountKeyFileTests
{
    private const string Name = "app.test";

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pem")]
    [InlineData("jwk")]
    public async Task Order_KeyOfAnExistingAccount_UsesThatAccount(string format)
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        Uri url;
        string pem;
        await using (var first = await fixture.ServeAsync("first.test"))
        {
            url = Assert.Single(await first.Certificates.ListAccountsAsync(Cancelled)).AccountUrl;
            var storage = first.Services.GetRequiredService<BoundedStorage>();
            var key = await storage.ListAsync(StorageLayout.AccountsPrefix, Cancelled).SingleAsync(Cancelled);
            pem = AccountFile.Decode((await storage.ReadAsync(key, Cancelled))!.Value.Span).PrivateKeyPem;
        }

        var settings = fixture.Settings(Name);
        settings["AcmeHttps:StoragePath"] = folder.Combine("store");
        settings["AcmeHttps:AccountKeyFile"] = folder.Write("key", format == "pem" ? pem : ToJwk(pem));
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        await app.ObtainedAsync(Name);

        Assert.Equal(url, Assert.Single(await app.Certificates.ListAccountsAsync(Cancelled)).AccountUrl);
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
        Assert.Contains(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 200 });
        Assert.False(app.Log.Has("AccountKeyFileNotUsed"));
    }

    [Fact]
    public async Task Order_KeyWithoutAnAccount_RegistersOneWithIt()
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        using var key = RSA.Create(2048);
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:AccountKeyFile"] = folder.Write("key.pem", key.ExportRSAPrivateKeyPem());

        await using (var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply))
        {
            await app.ObtainedAsync(Name);
            using var used = KestrelAcme.Protocol.Accounts.AccountKey.FromPem(key.ExportPkcs8PrivateKeyPem());
            Assert.Equal(used.Thumbprint, Assert.Single(await app.Certificates.ListAccountsAsync(Cancelled)).Thumbprint);
            await app.StopAsync(Cancelled);
        }

        // Another file does not replace the account in the store.
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        settings = fixture.Settings(Name);
        settings["AcmeHttps:AccountKeyFile"] = folder.Write("other.pem", other.ExportECPrivateKeyPem());
        await using var next = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);
        await next.Certificates.RenewAsync(Name, Cancelled);

        Assert.True(next.Log.Has("AccountKeyFileNotUsed"));
        Assert.Single(fixture.Authority.Requests, r => r is { Resource: ResourceKind.NewAccount, StatusCode: 201 });
    }

    [Theory]
    [InlineData("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n")]
    [InlineData("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"c2VjcmV0\",\"y\":\"c2VjcmV0\",\"d\":\"c2VjcmV0\"}")]
    [InlineData("{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}")]
    [InlineData("c2VjcmV0")]
    public async Task Start_FileHoldsNoKey_FailsWithoutShowingIt(string content)
    {
        await using var fixture = await LocalFixture.StartAsync();
        using var folder = new TemporaryFolder();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:AccountKeyFile"] = folder.Write("key", content);

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => fixture.StartAppAsync(settings));

        // As text, the exception leaves to the log what is there already.
        Assert.Contains("AccountKeyFile", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", $"{failure.Message}\n{failure}", StringComparison.Ordinal);
    }

    private static string ToJwk(string pem)
    {
        using var key = ECDsa.Create();
        key.ImportFromPem(pem);
        var parameters = key.ExportParameters(includePrivateParameters: true);
        return JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["kty"] = "EC",
            ["crv"] = "P-256",
            ["x"] = Base64Url.EncodeToString(parameters.Q.X),
            ["y"] = Base64Url.EncodeToString(parameters.Q.Y),
            ["d"] = Base64Url.EncodeToString(parameters.D),
        });
    }
}
