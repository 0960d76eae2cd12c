using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Accounts;

public sealed class ExternalAccountBindingTests
{
    private static readonly byte[] HmacKey = Encoding.ASCII.GetBytes("0123456789abcdef0123456789abcdef");

    [Fact]
    public async Task NewAccount_BindingRequiredAndMissing_IsExternalAccountRequired()
    {
        await using var fixture = await StartAsync();
        var directory = await fixture.Client.GetAsync(fixture.Client.DirectoryUrl);
        Assert.True((bool)directory.Json["meta"]!["externalAccountRequired"]!);
        var response = await fixture.Client.RegisterAsync();
        Assert.Equal((403, "externalAccountRequired"), (response.Status, response.Problem));
    }

    [Theory]
    [InlineData("", "")]
    [InlineData("kid", "unauthorized")]
    [InlineData("mac", "unauthorized")]
    [InlineData("alg", "malformed")]
    [InlineData("url", "malformed")]
    [InlineData("nonce", "malformed")]
    [InlineData("key", "malformed")]
    public async Task NewAccount_Binding_IsChecked(string wrong, string problem)
    {
        await using var fixture = await StartAsync();
        var payload = new JsonObject { ["externalAccountBinding"] = await BindAsync(fixture.Client, wrong) };
        var response = await fixture.Client.RegisterAsync(payload);
        Assert.Equal(problem, response.Problem);
        Assert.Equal(problem.Length == 0, response.Status == 201);
    }

    private static Task<AuthorityFixture> StartAsync() => AuthorityFixture.StartAsync(
        o =>
        {
            o.RequireExternalAccountBinding = true;
            o.ExternalAccounts["kid-1"] = TestKey.Encode(HmacKey);
        },
        register: false);

    private static async Task<JsonObject> BindAsync(TestClient client, string wrong)
    {
        var url = await client.UrlAsync("newAccount");
        var header = new JsonObject
        {
            ["alg"] = wrong == "alg" ? "HS512" : "HS256",
            ["kid"] = wrong == "kid" ? "kid-2" : "kid-1",
            ["url"] = wrong == "url" ? url + "x" : url,
        };
        if (wrong == "nonce")
        {
            header["nonce"] = "AAAA";
        }

        using var other = TestKey.P256();
        var jwk = (wrong == "key" ? other : client.Key).Jwk();
        var protectedPart = TestKey.Encode(Encoding.UTF8.GetBytes(header.ToJsonString()));
        var payloadPart = TestKey.Encode(Encoding.UTF8.GetBytes(jwk.ToJsonString()));
        var key = wrong == "mac" ? new byte[32] : HmacKey;
        var mac = HMACSHA256.HashData(key, Encoding.ASCII.GetBytes(protectedPart + "." + payloadPart));
        return new JsonObject { ["protected"] = protectedPart, ["payload"] = payloadPart, ["signature"] = TestKey.Encode(mac) };
    }
}
