using KestrelAcme.Challenges.Dns01;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class RecordNamePolicyTests
{
    [Theory]
    [InlineData("_acme-challenge.example.test", true)]
    [InlineData("_abcdefghijklmno2._acme-challenge.example.test", true)]
    [InlineData("_acme-challenge", false)]
    [InlineData("example.test", false)]
    [InlineData("www._acme-challenge.example.test", false)]
    [InlineData("_abcdefghijklmno1._acme-challenge.example.test", false)]
    [InlineData("_acme-challenge.exa mple.test", false)]
    [InlineData("_acme-challenge..test", false)]
    public void IsOfChallenge_Names_OnlyThoseOfChallenges(string name, bool expected)
        => Assert.Equal(expected, RecordNamePolicy.IsOfChallenge(name));

    [Fact]
    public void IsOfChallenge_NameThatCasQuery_True()
    {
        Assert.True(RecordNamePolicy.IsOfChallenge(DnsChallengeNames.Dns01("xn--bcher-kva.example.test")));
        Assert.True(RecordNamePolicy.IsOfChallenge(DnsChallengeNames.DnsAccount01("example.test", new Uri("https://ca.test/account/1"))));
        Assert.True(RecordNamePolicy.IsOfDigest(DnsChallengeNames.Value("token.thumbprint")));
    }

    [Theory]
    [InlineData("x._acme-challenge.example.test", "", "", true)]
    [InlineData("x_acme-challenge.example.test", "", "", false)]
    [InlineData("there.acme.test", "acme.test", "www.example.test", true)]
    [InlineData("there.notacme.test", "acme.test", "www.example.test", false)]
    [InlineData("there.acme.test", "acme.test", "www.acme.test", false)]
    [InlineData("there.acme.test", "acme.test", "acme.test", false)]
    [InlineData("there.acme.example.test", "acme.example.test", "example.test", true)]
    [InlineData("there.acme.test", "", "www.example.test", false)]
    public void IsPlaceForChallenges_Targets_OnlyMarkedOnes(string name, string zone, string certificateName, bool expected)
        => Assert.Equal(expected, RecordNamePolicy.IsPlaceForChallenges(name, zone.Length == 0 ? [] : [zone], [certificateName]));
}
