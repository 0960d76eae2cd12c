using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using KestrelAcme.Testing;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Client;

/// <summary>The steps of an order, on top of <see cref="TestClient"/>.</summary>
internal static class TestFlow
{
    public static JsonArray Identifiers(params string[] names) => new(
        [.. names.Select(n => new JsonObject { ["type"] = IPAddress.TryParse(n, out _) ? "ip" : "dns", ["value"] = n })]);

    public static async Task<TestResponse> OrderAsync(this TestClient client, params string[] names) =>
        await client.PostAsync(await client.UrlAsync("newOrder"), new JsonObject { ["identifiers"] = Identifiers(names) });

    /// <summary>Creates an order whose authorizations are all valid by http-01.</summary>
    public static async Task<TestResponse> ReadyOrderAsync(this TestClient client, ChallengeServer server, params string[] names)
    {
        var order = await client.OrderAsync(names);
        Assert.Equal(201, order.Status);
        await client.ValidateAsync(order, server);
        var ready = await client.PostAsync(order.Location!);
        Assert.Equal("ready", ready.Text("status"));
        return ready;
    }

    public static async Task ValidateAsync(this TestClient client, TestResponse order, ChallengeServer server)
    {
        foreach (var url in order.Texts("authorizations"))
        {
            var challenge = await client.ChallengeAsync(url, "http-01");
            server.Serve(challenge.Token, $"{challenge.Token}.{client.Key.Thumbprint()}");
            await client.PostAsync(challenge.Url, "{}");
            var authorization = await client.SettledAsync(url);
            Assert.Equal("valid", authorization.Text("status"));
        }
    }

    public static async Task<(string Url, string Token)> ChallengeAsync(this TestClient client, string authorizationUrl, string type)
    {
        var authorization = await client.PostAsync(authorizationUrl);
        var challenge = authorization.Json["challenges"]!.AsArray().Single(c => (string?)c!["type"] == type)!;
        return ((string)challenge["url"]!, (string)challenge["token"]!);
    }

    /// <summary>Polls an authorization until it is no longer pending.</summary>
    public static async Task<TestResponse> SettledAsync(this TestClient client, string authorizationUrl)
    {
        TestResponse? authorization = null;
        await Poll.UntilAsync(
            async _ =>
            {
                authorization = await client.PostAsync(authorizationUrl);
                return authorization.Text("status") != "pending";
            },
            "the authorization is settled",
            cancellationToken: TestContext.Current.CancellationToken);
        return authorization!;
    }

    public static string Csr(AsymmetricAlgorithm key, params string[] names)
    {
        var request = key is RSA rsa
            ? new CertificateRequest("", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            : new CertificateRequest("", (ECDsa)key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                san.AddIpAddress(address);
            }
            else
            {
                san.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(san.Build());
        return TestKey.Encode(request.CreateSigningRequest());
    }

    public static Task<TestResponse> FinalizeAsync(this TestClient client, TestResponse order, string csr) =>
        client.PostAsync(order.Text("finalize"), new JsonObject { ["csr"] = csr });

    /// <summary>Performs all steps; the account must exist.</summary>
    public static async Task<TestCertificate> ObtainAsync(this TestClient client, ChallengeServer server, params string[] names)
    {
        var ready = await client.ReadyOrderAsync(server, names);
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var order = await client.FinalizeAsync(ready, Csr(key, names));
        Assert.Equal("valid", order.Text("status"));
        return await client.DownloadAsync(order.Text("certificate"), key);
    }

    public static async Task<TestCertificate> DownloadAsync(this TestClient client, string url, ECDsa key)
    {
        var download = await client.PostAsync(url);
        Assert.Equal(200, download.Status);
        Assert.Equal("application/pem-certificate-chain", download.ContentType);
        var chain = new X509Certificate2Collection();
        chain.ImportFromPem(download.Body);
        return new TestCertificate(chain, key, download);
    }
}
