using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Accounts;

public sealed class KeyChangeTests
{
    [Fact]
    public async Task KeyChange_Good_OldKeyIsRefusedAndNewKeyFindsTheAccount()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var newKey = TestKey.P384();
        var oldKey = fixture.Client.Key;
        Assert.Equal(200, (await ChangeAsync(fixture.Client, newKey)).Status);

        Assert.Equal("malformed", (await fixture.Client.PostAsync(fixture.Client.Kid!)).Problem);
        fixture.Client.Key = newKey;
        var found = await fixture.Client.RegisterAsync(new JsonObject { ["onlyReturnExisting"] = true });
        oldKey.Dispose();

        Assert.Equal((200, fixture.Client.Kid), (found.Status, found.Location));
        Assert.Equal(200, (await fixture.Client.PostAsync(fixture.Client.Kid!)).Status);
    }

    [Fact]
    public async Task KeyChange_KeyOfAnotherAccount_IsAConflictThatNamesIt()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        var response = await ChangeAsync(fixture.Client, other.Key);
        Assert.Equal((409, other.Kid), (response.Status, response.Location));
    }

    [Theory]
    [InlineData("url")]
    [InlineData("nonce")]
    [InlineData("account")]
    [InlineData("oldKey")]
    [InlineData("signature")]
    public async Task KeyChange_InnerWrong_IsMalformed(string what)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var newKey = TestKey.P256();
        Assert.Equal("malformed", (await ChangeAsync(fixture.Client, newKey, what)).Problem);
        Assert.Equal(200, (await fixture.Client.PostAsync(fixture.Client.Kid!)).Status);
    }

    private static async Task<TestResponse> ChangeAsync(TestClient client, TestKey newKey, string wrong = "")
    {
        var url = await client.UrlAsync("keyChange");
        var header = new JsonObject { ["alg"] = newKey.Algorithm, ["jwk"] = newKey.Jwk(), ["url"] = wrong == "url" ? url + "x" : url };
        if (wrong == "nonce")
        {
            header["nonce"] = await client.FreshNonceAsync();
        }

        var payload = new JsonObject
        {
            ["account"] = wrong == "account" ? client.Kid + "x" : client.Kid,
            ["oldKey"] = wrong == "oldKey" ? newKey.Jwk() : client.Key.Jwk(),
        };
        var inner = newKey.Jws(header, payload.ToJsonString());
        if (wrong == "signature")
        {
            inner["signature"] = TestKey.Encode(new byte[64]);
        }

        return await client.PostAsync(url, inner);
    }
}
