using System.Text.Json;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Persist;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Persist;

/// <summary>dns-persist-01 according to draft-ietf-acme-dns-persist-02, with its test vectors.</summary>
public sealed class DnsPersistDraft02Tests
{
    private const string Prefix = "https://ca.example/account-hash/";
    private const string Thumbprint = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    private const string OfTheName = "5SQm7n6tPh2-PlLbCKGnViTXX5z19SCN4cPGQHSk-kw";
    private const string OfAnyName = "NpDnSwUthQK8zCgFdefYxAdAVPnygMLbs9US6oO-5ug";

    private static readonly Uri Account = new("https://ca.example/acct/123");
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_800_000_000);

    [Theory]
    [InlineData("example.com", OfTheName)]
    [InlineData("*", OfAnyName)]
    public void HashedUri_VectorOfTheDraft_IsItsValue(string domain, string hash)
        => Assert.Equal($"{Prefix}sha-256/{hash}", PersistRecord.HashedUri(Prefix, domain, Thumbprint, Account.OriginalString));

    [Theory]
    [InlineData(Prefix + "sha-256/" + OfTheName, true)]
    [InlineData(Prefix + "sha-256/" + OfAnyName, true)]
    [InlineData(Prefix + "SHA-256/" + OfTheName, false)]
    [InlineData(Prefix + "sha-512/" + OfTheName, false)]
    [InlineData("https://ca.example/acct/123", false)]
    public void Allows_AccountUri_OnlyHashesOfThisAccount(string uri, bool expected)
        => Assert.Equal(expected, PersistRecord.Allows($"authority.example; accounturi={uri}", Request(), Now));

    [Fact]
    public void RecordFor_Wildcard_IsTheHashOfTheName()
        => Assert.Equal(
            $"_validation-persist.example.com. TXT \"authority.example; accounturi={Prefix}sha-256/{OfTheName}; policy=wildcard\"",
            PersistRecord.RecordFor(Request() with { Wildcard = true }).ToString());

    [Fact]
    public void RecordFor_LongText_IsSeveralStrings()
    {
        var long2 = Request() with { AccountHashPrefix = $"https://ca.example/{new string('a', 600)}/" };

        var strings = PersistRecord.RecordFor(long2).Value.Split("\" \"");

        Assert.True(strings.Length > 1);
        Assert.All(strings, part => Assert.InRange(part.Trim('"').Length, 1, 255));
        Assert.True(PersistRecord.Allows(string.Concat(strings).Trim('"'), long2, Now));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("relative/", false)]
    [InlineData("https://ca.example/;policy=wildcard;", false)]
    [InlineData("https://ca.example/\n", false)]
    [InlineData("https://ca.example/\"", false)]
    [InlineData(Prefix, true)]
    public void IsPrefix_Text_AsTheDraftSays(string? prefix, bool expected) => Assert.Equal(expected, PersistRecord.IsPrefix(prefix));

    [Theory]
    [InlineData("issuerDomainNames", "[]")]
    [InlineData("issuerDomainNames", "null")]
    [InlineData("issuerDomainNames", "\"authority.example\"")]
    [InlineData(
        "issuerDomainNames",
        """["a1.test","a2.test","a3.test","a4.test","a5.test","a6.test","a7.test","a8.test","a9.test","b1.test","b2.test"]""")]
    [InlineData("issuerDomainNames", """["Authority.example", "authority.example.", "b\u00fccher.example", "", 5, "\ud800"]""")]
    [InlineData("issuer-domain-names", "[]")]
    [InlineData(
        "issuer-domain-names",
        """["a1.test","a2.test","a3.test","a4.test","a5.test","a6.test","a7.test","a8.test","a9.test","b1.test","b2.test"]""")]
    public void Of_MalformedChallenge_IsRefused(string member, string names)
    {
        var exception = Assert.Throws<ChallengeException>(
            () => PersistIssuers.Of("example.com", DnsPersist01Tests.Members(member, names), new PersistDirectory([], Prefix, [])));

        Assert.Equal(ChallengeFault.Operator, exception.Fault);
        Assert.Contains("malformed", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_NoMember_IsRefusedInDraft02AndTheCaaIdentitiesInDraft01()
    {
        var none = new Dictionary<string, JsonElement>();

        Assert.Throws<ChallengeException>(
            () => PersistIssuers.Of("example.com", none, new PersistDirectory([], Prefix, ["authority.example"])));
        Assert.Equal(["authority.example"], PersistIssuers.Of("example.com", none, new PersistDirectory([], null, ["Authority.Example."])));
    }

    [Theory]
    [InlineData(new string[0], new[] { "authority.example" })]
    [InlineData(new[] { "missing.example" }, new string[0])]
    public void Of_DirectoryDisagrees_IsRefused(string[] directory, string[] caa)
        => Assert.Throws<ChallengeException>(() => PersistIssuers.Of(
            "example.com",
            DnsPersist01Tests.Members("issuerDomainNames", """["authority.example","other.example"]"""),
            new PersistDirectory(directory, Prefix, caa)));

    [Theory]
    [InlineData(new[] { "other.example" }, new[] { "AUTHORITY.example.", "other.example" })]
    [InlineData(new[] { "UPPER.example" }, new[] { "bad;value" })]
    [InlineData(new string[0], new string[0])]
    public void Of_DirectoryAgreesOrIsUnusable_ReturnsTheNames(string[] directory, string[] caa)
        => Assert.Equal(["authority.example", "other.example"], PersistIssuers.Of(
            "example.com",
            DnsPersist01Tests.Members("issuerDomainNames", """["authority.example","other.example"]"""),
            new PersistDirectory(directory, Prefix, caa)));

    [Fact]
    public void BeforeAnyChallenge_Directory_DecidesByTheDraft()
    {
        Assert.Equal(
            ["authority.example"],
            PersistIssuers.BeforeAnyChallenge(new PersistDirectory(["authority.example"], Prefix, ["other.example"])));
        Assert.Null(PersistIssuers.BeforeAnyChallenge(new PersistDirectory([], Prefix, ["other.example"])));
        Assert.Null(PersistIssuers.BeforeAnyChallenge(new PersistDirectory(["Authority.example"], Prefix, ["other.example"])));
        Assert.Equal(["other.example"], PersistIssuers.BeforeAnyChallenge(new PersistDirectory([], null, ["other.example"])));
    }

    private static PersistRequest Request()
        => new("example.com", Wildcard: false, new PersistAccount(Account, Thumbprint, null), ["authority.example", "ca.example.net"])
        {
            AccountHashPrefix = Prefix,
        };
}
