using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Jose;

public sealed class RequestAuthenticationTests
{
    [Fact]
    public async Task Post_SignatureOfAnotherKey_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var other = TestKey.P256();
        var url = await fixture.Client.UrlAsync("newOrder");
        var header = await fixture.Client.HeaderAsync(url);

        var response = await fixture.Client.SendAsync(url, other.Jws(header, "{}").ToJsonString());

        Assert.Equal((400, "malformed"), (response.Status, response.Problem));
    }

    [Fact]
    public async Task Post_PayloadChangedAfterSigning_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = await fixture.Client.UrlAsync("newOrder");
        var jws = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "{}");
        jws["payload"] = TestKey.Encode("{\"identifiers\":[]}"u8.ToArray());

        var response = await fixture.Client.SendAsync(url, jws.ToJsonString());

        Assert.Equal((400, "malformed"), (response.Status, response.Problem));
    }

    [Fact]
    public async Task Post_SameRequestTwice_SecondIsBadNonceAndBringsAFreshOne()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = fixture.Client.Kid!;
        var body = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "").ToJsonString();
        Assert.Equal(200, (await fixture.Client.SendAsync(url, body)).Status);

        var replay = await fixture.Client.SendAsync(url, body);

        Assert.Equal((400, "badNonce"), (replay.Status, replay.Problem));
        Assert.NotNull(replay.Nonce);
        Assert.Equal(200, (await fixture.Client.PostAsync(url)).Status);
    }

    [Fact]
    public async Task Post_NonceNeverGivenOut_IsBadNonce()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h["nonce"] = "AAAAAAAAAAAAAAAAAAAAAA");
        Assert.Equal("badNonce", response.Problem);
    }

    [Fact]
    public async Task Post_UrlOfAnotherResource_IsUnauthorized()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h["url"] = fixture.Client.DirectoryUrl);
        Assert.Equal((401, "unauthorized"), (response.Status, response.Problem));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("HS256")]
    [InlineData("ES512")]
    [InlineData(null)]
    public async Task Post_AlgorithmNotOffered_IsBadSignatureAlgorithmWithTheGoodOnes(string? algorithm)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h["alg"] = algorithm);
        Assert.Equal((400, "badSignatureAlgorithm"), (response.Status, response.Problem));
        Assert.Equal(["ES256", "ES384", "RS256"], response.Texts("algorithms"));
    }

    public static TheoryData<string, string> BrokenHeaders => new()
    {
        { "nonce missing", "nonce" },
        { "url missing", "url" },
        { "kid missing", "kid" },
    };

    [Theory]
    [MemberData(nameof(BrokenHeaders))]
    public async Task Post_HeaderMemberMissing_IsRefused(string what, string member)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h.Remove(member));
        Assert.True(response.Status is 400 or 401, what);
    }

    [Fact]
    public async Task Post_KidAndJwk_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h["jwk"] = fixture.Client.Key.Jwk());
        Assert.Equal("malformed", response.Problem);
    }

    [Fact]
    public async Task Post_JwkWhereKidIsNeeded_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(await fixture.Client.UrlAsync("newOrder"), "{}", useJwk: true);
        Assert.Equal("malformed", response.Problem);
    }

    [Fact]
    public async Task Post_KidWhereJwkIsNeeded_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(await fixture.Client.UrlAsync("newAccount"), "{}");
        Assert.Equal("malformed", response.Problem);
    }

    [Fact]
    public async Task Post_KidOfNoAccount_IsAccountDoesNotExist()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h["kid"] = fixture.Client.Kid + "x");
        Assert.Equal((400, "accountDoesNotExist"), (response.Status, response.Problem));
    }

    [Theory]
    [InlineData("""{"crit":["exp"]}""")]
    [InlineData("""{"b64":false}""")]
    public async Task Post_ExtensionInHeader_IsMalformed(string members)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var extra = JsonNode.Parse(members)!.AsObject().First();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, edit: h => h[extra.Key] = extra.Value!.DeepClone());
        Assert.Equal("malformed", response.Problem);
    }

    [Theory]
    [InlineData("header", """{"kid":"x"}""")]
    [InlineData("signatures", "[]")]
    public async Task Post_ForbiddenJwsMember_IsMalformed(string member, string value)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = fixture.Client.Kid!;
        var jws = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "");
        jws[member] = JsonNode.Parse(value);
        Assert.Equal("malformed", (await fixture.Client.SendAsync(url, jws.ToJsonString())).Problem);
    }

    [Theory]
    [InlineData("=")]
    [InlineData(" ")]
    [InlineData("\\n")]
    [InlineData("+")]
    public async Task Post_SignatureNotStrictBase64Url_IsMalformed(string suffix)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = fixture.Client.Kid!;
        var body = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "").ToJsonString();
        var response = await fixture.Client.SendAsync(url, body.Replace("\"}", suffix + "\"}", StringComparison.Ordinal));
        Assert.Equal("malformed", response.Problem);
    }

    [Fact]
    public async Task Post_MemberTwice_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = fixture.Client.Kid!;
        var body = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "").ToJsonString();
        var response = await fixture.Client.SendAsync(
            url, body.Replace("{\"protected\"", "{\"payload\":\"\",\"protected\"", StringComparison.Ordinal));
        Assert.Equal("malformed", response.Problem);
    }

    [Fact]
    public async Task Post_OtherContentType_IsRefused()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var url = fixture.Client.Kid!;
        var body = fixture.Client.Key.Jws(await fixture.Client.HeaderAsync(url), "").ToJsonString();
        Assert.Equal(415, (await fixture.Client.SendAsync(url, body, "application/json")).Status);
    }

    [Fact]
    public async Task Post_BodyTooLarge_IsRefused()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        try
        {
            await fixture.Client.SendAsync(fixture.Client.Kid!, new string(' ', 300 * 1024));
        }
        catch (HttpRequestException)
        {
            // The CA may close the connection while the rest is still being sent.
        }

        Assert.Equal(413, fixture.Authority.Requests[^1].StatusCode);
    }

    [Fact]
    public async Task Get_ResourceThatNeedsPostAsGet_IsNotAllowed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        string[] urls = [fixture.Client.Kid!, order.Location!, order.Texts("authorizations")[0]];
        foreach (var url in urls)
        {
            var response = await fixture.Client.GetAsync(url);
            Assert.Equal((405, "malformed"), (response.Status, response.Problem));
        }
    }

    [Fact]
    public async Task Post_PayloadWherePostAsGetIsMeant_IsMalformed()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var order = await fixture.Client.OrderAsync("app.test");
        Assert.Equal("malformed", (await fixture.Client.PostAsync(order.Location!, "{}")).Problem);
    }

    [Fact]
    public async Task Get_WithoutUserAgent_IsRefused()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        fixture.Client.Http.DefaultRequestHeaders.UserAgent.Clear();
        Assert.Equal(400, (await fixture.Client.GetAsync(fixture.Client.DirectoryUrl)).Status);
    }

    [Theory]
    [InlineData("HEAD", 200)]
    [InlineData("GET", 204)]
    public async Task NewNonce_EachMethod_BringsANonceThatMayNotBeStored(string method, int status)
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.GetAsync(await fixture.Client.UrlAsync("newNonce"), new HttpMethod(method));
        Assert.Equal(status, response.Status);
        Assert.NotNull(response.Nonce);
        Assert.True(response.Headers.CacheControl?.NoStore);
        Assert.Contains($"<{fixture.Client.DirectoryUrl}>;rel=\"index\"", response.Links);
    }

    [Fact]
    public async Task Get_UnknownPath_IsNotFound()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        Assert.Equal(404, (await fixture.Client.GetAsync(fixture.Client.DirectoryUrl + "/no")).Status);
    }
}
