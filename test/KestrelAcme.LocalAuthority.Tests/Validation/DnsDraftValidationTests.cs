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
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount;", false, false)]
    [InlineData(
        "ca.test; accounturi=https://example.com/acme/acct/ExampleAccount; persistUntil=99999999999; persistUntil=99999999999",
        false,
        false)]
    [InlineData("ca.test; accounturi=https://example.com/acme/acct/ExampleAccount; x=1; x=2", false, true)]
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
        var target = new ChallengeTarget(Identifier.OfName("app.test"), "", "")
        {
            Wildcard = wildcard,
            AccountUrl = Account,
            IssuerDomainNames = ["ca.test"],
        };

        var problem = await new DnsPersist01Validator(new TxtRecords(options), TimeProvider.System).ValidateAsync(
            target, TestContext.Current.CancellationToken);

        Assert.Equal(expected, problem is null);
        Assert.Equal("_validation-persist.app.test", asked);
    }

    [Theory]
    [InlineData("ca.test; accounturi=https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw", true)]
    [InlineData("ca.test; accounturi=https://ca.example/account-hash/sha-256/NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug", true)]
    [InlineData("CA.test; accounturi=https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw", false)]
    [InlineData("ca.test.; accounturi=https://ca.example/account-hash/sha-256/5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw", false)]
    [InlineData("ca.test; accounturi=https://ca.example/acct/123", false)]
    public async Task DnsPersist01_Draft02_WantsTheHashOfTheAccount(string value, bool expected)
    {
        var options = new LocalAcmeAuthorityOptions { TxtLookup = (_, _) => Task.FromResult<IReadOnlyList<string>>([value]) };
        var target = new ChallengeTarget(Identifier.OfName("example.com"), "", "")
        {
            AccountUrl = "https://ca.example/acct/123",
            AccountThumbprints = ["another", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"],
            AccountHashPrefix = "https://ca.example/account-hash/",
            IssuerDomainNames = ["ca.test"],
        };

        var problem = await new DnsPersist01Validator(new TxtRecords(options), TimeProvider.System).ValidateAsync(
            target, TestContext.Current.CancellationToken);

        Assert.Equal(expected, problem is null);
    }

    [Fact]
    public async Task Authorization_Draft02_HasTheNewMembers()
    {
        await using var fixture = await AuthorityFixture.StartAsync(options =>
        {
            options.ChallengeTypes.Add("dns-persist-01");
            options.CaaIdentities.Add("ca.test");
            options.AccountHashPrefix = "https://ca.example/account-hash/";
        });
        var order = await fixture.Client.OrderAsync("app.test");
        var authorization = await fixture.Client.PostAsync(order.Texts("authorizations")[0]);

        var challenge = authorization.Json["challenges"]!.AsArray().Single(c => (string)c!["type"]! == "dns-persist-01")!.AsObject();
        Assert.Equal("""["ca.test"]""", challenge["issuerDomainNames"]!.ToJsonString());
        Assert.False(challenge.ContainsKey("issuer-domain-names"));
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
