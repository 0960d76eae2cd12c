using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Tests.Client;
using KestrelAcme.LocalAuthority.Validation;
using Xunit;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

/// <summary>dns-account-01 and dns-persist-01.</summary>
public sealed class DnsDraftValidationTests
{
    private const string Account = "https://example.com/acme/acct/ExampleAccount";

    [Fact]
    public void Label_ExampleOfTheDraft_IsItsLabel() => Assert.Equal("ujmmovf2vn55tgye", DnsAccount01Validator.Label(Account));

    [Theory]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount", false, true)]
    [InlineData("CA.test.;policy=Wildcard ; accounturi=https://example.com/acme/acct/ExampleAccount; persistUntil=99999999999", true, true)]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount", true, false)]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/Other", false, false)]
    [InlineData("other.test; accounturi=https://example.com/acme/acct/ExampleAccount", false, false)]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount; persistUntil=1", false, false)]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount; persistUntil=never", false, false)]
    [InlineData("ca.test", false, false)]
    [InlineData("", false, false)]
    public async Task DnsPersist01_Record_AllowsWhatItSays(string value, bool wildcard, bool expected)
    {
        var asked = "";
        var options = new LocalAcmeAuthorityOptions
        {
            TxtLookup = (name, _) =>
            {
                asked = name;
                return Task.FromResult<IReadOnlyList<string>>(["unrelated", value]);
            },
        };
        var target = new ChallengeTarget(Identifier.OfName("app.test"), "", "") { Wildcard = wildcard, AccountUrl = Account, IssuerDomainNames = ["ca.test"] };

        var problem = await new DnsPersist01Validator(new TxtRecords(options), TimeProvider.System).ValidateAsync(target, TestContext.Current.CancellationToken);

        Assert.Equal(expected, problem is null);
        Assert.Equal("_validation-persist.app.test", asked);
    }

    [Fact]
    public async Task Authorization_DraftsOffered_PersistHasIssuersAndNoToken()
    {
        await using var fixture = await AuthorityFixture.StartAsync(options =>
        {
            options.ChallengeTypes.Clear();
            options.ChallengeTypes.Add("dns-account-01");
            options.ChallengeTypes.Add("dns-persist-01");
            options.CaaIdentities.Add("ca.test");
        });
        var order = await fixture.Client.OrderAsync("*.app.test");
        var authorization = await fixture.Client.PostAsync(order.Texts("authorizations")[0]);

        var challenges = authorization.Json["challenges"]!.AsArray().ToDictionary(c => (string)c!["type"]!, c => c!.AsObject());
        Assert.Equal(["dns-account-01", "dns-persist-01"], challenges.Keys.Order(StringComparer.Ordinal));
        Assert.True(challenges["dns-account-01"].ContainsKey("token") && !challenges["dns-account-01"].ContainsKey("issuer-domain-names"));
        Assert.False(challenges["dns-persist-01"].ContainsKey("token"));
        Assert.Equal("""["ca.test"]""", challenges["dns-persist-01"]["issuer-domain-names"]!.ToJsonString());
    }
}
