using System.Text.Json.Nodes;
using KestrelAcme.LocalAuthority.Tests.Client;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Accounts;

public sealed class AccountTests
{
    [Fact]
    public async Task NewAccount_KeyKnown_ReturnsTheSameAccount()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var kid = fixture.Client.Kid;

        var again = await fixture.Client.RegisterAsync(new JsonObject { ["onlyReturnExisting"] = true });

        Assert.Equal((200, kid), (again.Status, again.Location));
    }

    [Fact]
    public async Task NewAccount_OnlyReturnExistingAndKeyUnknown_IsAccountDoesNotExist()
    {
        await using var fixture = await AuthorityFixture.StartAsync(register: false);
        var response = await fixture.Client.RegisterAsync(new JsonObject { ["onlyReturnExisting"] = true });
        Assert.Equal((400, "accountDoesNotExist"), (response.Status, response.Problem));
    }

    [Theory]
    [InlineData("mailto:a@example.test", "")]
    [InlineData("tel:+123", "unsupportedContact")]
    [InlineData("mailto:a@example.test,b@example.test", "invalidContact")]
    [InlineData("mailto:a@example.test?subject=x", "invalidContact")]
    [InlineData("mailto:nobody", "invalidContact")]
    public async Task NewAccount_Contact_IsChecked(string contact, string problem)
    {
        await using var fixture = await AuthorityFixture.StartAsync(register: false);
        var response = await fixture.Client.RegisterAsync(new JsonObject { ["contact"] = new JsonArray(contact) });
        Assert.Equal(problem, response.Problem);
    }

    [Fact]
    public async Task NewAccount_TermsNotAgreed_IsUserActionRequiredWithALink()
    {
        await using var fixture = await AuthorityFixture.StartAsync(
            o => o.TermsOfService = new Uri("https://example.test/terms"), register: false);
        var refused = await fixture.Client.RegisterAsync();
        Assert.Equal((403, "userActionRequired"), (refused.Status, refused.Problem));
        Assert.Contains("<https://example.test/terms>;rel=\"terms-of-service\"", refused.Links);

        var accepted = await fixture.Client.RegisterAsync(new JsonObject { ["termsOfServiceAgreed"] = true });

        Assert.Equal(201, accepted.Status);
        Assert.True((bool)accepted.Json["termsOfServiceAgreed"]!);
    }

    [Fact]
    public async Task NewAccount_RsaKeyTooShort_IsBadPublicKey()
    {
        await using var fixture = await AuthorityFixture.StartAsync(register: false);
        using var client = new TestClient(fixture.Authority, TestKey.Rsa(1024));
        Assert.Equal("badPublicKey", (await client.RegisterAsync()).Problem);
    }

    [Theory]
    [InlineData("d", "AAAA")]
    [InlineData("crv", "P-521")]
    [InlineData("kty", "OKP")]
    [InlineData("x", "AAAA")]
    public async Task NewAccount_JwkUnusable_IsBadPublicKey(string member, string value)
    {
        await using var fixture = await AuthorityFixture.StartAsync(register: false);
        var url = await fixture.Client.UrlAsync("newAccount");
        var response = await fixture.Client.PostAsync(url, "{}", useJwk: true, edit: h => h["jwk"]![member] = value);
        Assert.Equal("badPublicKey", response.Problem);
    }

    [Fact]
    public async Task Account_Update_ChangesContactAndIgnoresTheRest()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var update = new JsonObject { ["contact"] = new JsonArray("mailto:new@example.test"), ["orders"] = "x", ["unknown"] = 1 };
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, update);
        Assert.Equal(["mailto:new@example.test"], response.Texts("contact"));
        Assert.Equal(["mailto:new@example.test"], (await fixture.Client.PostAsync(fixture.Client.Kid!)).Texts("contact"));
    }

    [Fact]
    public async Task Account_Deactivated_CanDoNothingAnyMore()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var response = await fixture.Client.PostAsync(fixture.Client.Kid!, new JsonObject { ["status"] = "deactivated" });
        Assert.Equal("deactivated", response.Text("status"));

        Assert.Equal((401, "unauthorized"), Of(await fixture.Client.OrderAsync("app.test")));
        Assert.Equal((403, "unauthorized"), Of(await fixture.Client.RegisterAsync()));
    }

    [Fact]
    public async Task Account_OfSomebodyElse_IsUnauthorized()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        using var other = new TestClient(fixture.Authority);
        await other.RegisterAsync();
        Assert.Equal((403, "unauthorized"), Of(await other.PostAsync(fixture.Client.Kid!)));
    }

    [Fact]
    public async Task OrdersList_MoreThanAPage_IsPaged()
    {
        await using var fixture = await AuthorityFixture.StartAsync();
        var expected = new HashSet<string>();
        for (var i = 0; i < 103; i++)
        {
            expected.Add((await fixture.Client.OrderAsync($"n{i}.test")).Location!);
        }

        var first = await fixture.Client.PostAsync((await fixture.Client.PostAsync(fixture.Client.Kid!)).Text("orders"));
        var next = first.Links.Single(l => l.EndsWith("rel=\"next\"", StringComparison.Ordinal));
        var second = await fixture.Client.PostAsync(next[1..next.IndexOf('>', StringComparison.Ordinal)]);

        Assert.Equal((100, 3), (first.Texts("orders").Count, second.Texts("orders").Count));
        Assert.True(expected.SetEquals(first.Texts("orders").Concat(second.Texts("orders"))));
        Assert.DoesNotContain(second.Links, l => l.Contains("next", StringComparison.Ordinal));
    }

    [Fact]
    public async Task OrdersList_NotOffered_IsMissingInTheAccount()
    {
        await using var fixture = await AuthorityFixture.StartAsync(o => o.OfferOrdersList = false);
        var account = await fixture.Client.PostAsync(fixture.Client.Kid!);
        Assert.Null(account.Json["orders"]);
        Assert.Equal(404, (await fixture.Client.PostAsync(fixture.Client.Kid + "/orders")).Status);
    }

    private static (int, string) Of(TestResponse response) => (response.Status, response.Problem);
}
