using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.Hosting.Doctor;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Doctor;

public sealed class NameVerdictsTests
{
    private static readonly HashSet<IPAddress> Own = [IPAddress.Parse("203.0.113.1"), IPAddress.Parse("2001:db8::1")];

    private static readonly TokenProbeResult Foreign = TokenProbeResult.Foreign("status 404");
    private static readonly TokenProbeResult Refused = TokenProbeResult.Silent("refused the connection");

    [Theory]
    [InlineData("http-01", DiagnosisLevel.Error)]
    [InlineData("http-01,tls-alpn-01", DiagnosisLevel.Error)]
    [InlineData("dns-01", DiagnosisLevel.Ok)]
    [InlineData("http-01,dns-01", DiagnosisLevel.Ok)]
    public void Addresses_None_IsAnErrorUnlessDnsProvesTheName(string types, DiagnosisLevel level)
    {
        var finding = Assert.Single(NameVerdicts.Addresses(Facts(types) with { Exists = false }));

        Assert.Equal((NameVerdicts.Dns, level), (finding.Check, finding.Level));
        Assert.Equal(level == DiagnosisLevel.Ok, finding.Fix is null);
    }

    [Fact]
    public void Addresses_OwnThatAnswers_IsFine()
        => AssertOne(DiagnosisLevel.Ok, "203.0.113.1 leads to this app.", Sight("203.0.113.1", TokenProbeResult.Ours));

    [Fact]
    public void Addresses_OwnThatRefusesPort80_IsAnErrorIfHttp01IsTheOnlyWay()
    {
        var facts = Facts("http-01") with { Addresses = [Sight("203.0.113.1", Refused)] };

        var only = Assert.Single(NameVerdicts.Addresses(facts));
        var either = Assert.Single(NameVerdicts.Addresses(facts with { ChallengeTypes = ["http-01", "tls-alpn-01"] }));

        Assert.Equal(DiagnosisLevel.Error, only.Level);
        Assert.Equal("203.0.113.1 is this machine, but port 80 there refused the connection.", only.Message);
        Assert.Equal(DiagnosisLevel.Ok, either.Level);
    }

    [Fact]
    public void Addresses_OtherThatAnswersForUs_IsFine()
        => AssertOne(DiagnosisLevel.Ok, "198.51.100.7 leads to this app.", Sight("198.51.100.7", TokenProbeResult.Ours));

    [Fact]
    public void Addresses_OtherThatAnswersOtherwise_IsAnError()
        => AssertOne(
            DiagnosisLevel.Error, "198.51.100.7 responds, but not as this app: it responds with status 404.",
            Sight("198.51.100.7", Foreign));

    [Fact]
    public void Addresses_ForeignWhileAnotherProcessListens_IsNoCertainError()
    {
        var facts = Facts("http-01") with { Addresses = [Sight("198.51.100.7", Foreign)], IsTellable = false };

        Assert.Equal(DiagnosisLevel.Warning, Assert.Single(NameVerdicts.Addresses(facts)).Level);
    }

    [Fact]
    public void Addresses_BehindNat_IsAWarning()
        => AssertOne(
            DiagnosisLevel.Warning,
            "198.51.100.7 is not an address of this machine, and port 80 there did not respond within 3 s. Behind NAT or a load balancer "
            + "that is normal.",
            Sight("198.51.100.7", TokenProbeResult.Silent("did not respond within 3 s")));

    [Theory]
    [InlineData("10.1.2.3")]
    [InlineData("172.16.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("100.64.0.1")]
    [InlineData("fd00::1")]
    public void Addresses_Private_IsAWarningForAPublicAuthority(string address)
        => AssertOne(
            DiagnosisLevel.Warning, $"{address} is a private address, which no CA on the Internet can reach.", Sight(address, Refused));

    [Fact]
    public void Addresses_Loopback_DependsOnTheAuthority()
    {
        var facts = Facts("http-01") with { Addresses = [Sight("127.0.0.1", null)] };

        Assert.Equal(DiagnosisLevel.Warning, Assert.Single(NameVerdicts.Addresses(facts)).Level);
        Assert.Equal(DiagnosisLevel.Ok, Assert.Single(NameVerdicts.Addresses(facts with { IsPublicAuthority = false })).Level);
    }

    [Fact]
    public void Addresses_Ipv6PointsElsewhere_IsAnErrorOfItsOwn()
    {
        var facts = Facts("http-01") with
        {
            Addresses = [Sight("203.0.113.1", TokenProbeResult.Ours), Sight("2001:db8::bad", Foreign)],
        };

        var findings = NameVerdicts.Addresses(facts).ToList();

        Assert.Equal([(NameVerdicts.Dns, DiagnosisLevel.Ok), (NameVerdicts.Ipv6, DiagnosisLevel.Error)],
            findings.Select(f => (f.Check, f.Level)));
        Assert.StartsWith("CAs and browsers try IPv6 first. Remove the AAAA record", findings[1].Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_None_AllowEveryAuthority()
        => Assert.Equal(DiagnosisLevel.Ok, Judge().Level);

    [Fact]
    public void Records_OfAnotherAuthority_AreAnErrorWithTheRecordToAdd()
    {
        var finding = Judge(authoritative: true, "other.example");

        Assert.Equal(DiagnosisLevel.Error, finding.Level);
        Assert.Equal("The CAA record set of app.example allows (issue) other.example, not ca.example.", finding.Message);
        Assert.Contains("0 issue \"ca.example\"", finding.Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void Records_OnlyAResolverShows_AreAWarning()
        => Assert.Equal(DiagnosisLevel.Warning, Judge(authoritative: false, "other.example").Level);

    [Fact]
    public void Records_ForAnAccountBeforeThereIsOne_AreAWarning()
        => Assert.Equal(DiagnosisLevel.Warning, Judge(authoritative: true, "ca.example; accounturi=https://ca.example/acct/1").Level);

    [Fact]
    public void Https_WithEch_IsAnErrorIfThisMachineEndsTls()
    {
        var here = Facts("http-01") with { Addresses = [Sight("203.0.113.1", null)] };
        var elsewhere = Facts("http-01") with { Addresses = [Sight("198.51.100.7", null)] };

        Assert.Equal(DiagnosisLevel.Error, NameVerdicts.Https(here, [new SvcbRecord(1, HasEch: true)]).Level);
        Assert.Equal(DiagnosisLevel.Warning, NameVerdicts.Https(elsewhere, [new SvcbRecord(1, HasEch: true)]).Level);
        Assert.Equal(DiagnosisLevel.Ok, NameVerdicts.Https(here, [new SvcbRecord(1, HasEch: false)]).Level);
    }

    [Theory]
    [InlineData("0001 00 0005 0002 abcd", true)]
    [InlineData("0001 00 0001 0003 026832 0005 0001 00", true)]
    [InlineData("0001 03637573 00 0001 0003 026832", false)]
    [InlineData("0000 03637573 00", false)]
    [InlineData("0001 00 0005 0000", false)]
    [InlineData("0001 00 0005 0009 00", null)]
    [InlineData("0001 c00c", null)]
    [InlineData("0001", null)]
    [InlineData("", null)]
    public void Parse_HttpsRecord_FindsEch(string hex, bool? expected)
        => Assert.Equal(expected, SvcbRecord.Parse(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)))?.HasEch);

    private static NameFacts Facts(string types) => new()
    {
        Name = "app.example",
        ChallengeTypes = types.Split(','),
        IsPublicAuthority = true,
    };

    private static AddressSight Sight(string address, TokenProbeResult? probe)
    {
        var parsed = IPAddress.Parse(address);
        return new AddressSight(parsed, AddressPlaces.Of(parsed, Own), probe);
    }

    private static void AssertOne(DiagnosisLevel level, string message, AddressSight sight)
    {
        var finding = Assert.Single(NameVerdicts.Addresses(Facts("http-01") with { Addresses = [sight] }));

        Assert.Equal((level, message), (finding.Level, finding.Message));
        Assert.Equal(level == DiagnosisLevel.Ok, finding.Fix is null);
    }

    private static DiagnosisFinding Judge(bool authoritative = true, params string[] values)
    {
        var owner = DnsName.Parse("app.example");
        var subject = new CaaSubject("app.example", Wildcard: false);
        var set = new CaaRecordSet
        {
            Records = [.. values.Select(v => new CaaRecord(owner, TimeSpan.Zero, 0, "issue", v))],
            FoundAt = values.Length > 0 ? owner : null,
            IsAuthoritative = authoritative,
        };
        var request = new CaaRequest
        {
            Subjects = [subject],
            CaaIdentities = ["ca.example"],
            AccountUrl = new Uri("urn:unknown"),
            ChallengeTypes = ["http-01"],
        };
        return NameVerdicts.Records(subject, set, request, hasAccount: false);
    }
}
