using KestrelAcme.Certificates.Failures;
using KestrelAcme.Protocol.Problems;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>The advice must match the type of the failed challenge, because the response to each type is in another place.</summary>
public sealed class ProblemAdviceTests
{
    private static readonly string[] OfValidation =
    [
        AcmeProblemTypes.Connection, AcmeProblemTypes.Dns, AcmeProblemTypes.Unauthorized, AcmeProblemTypes.IncorrectResponse,
        AcmeProblemTypes.Tls,
    ];

    /// <summary>A challenge type, words that its advice contains whatever the problem is, and words that do not apply to it.</summary>
    public static TheoryData<string, string, string[]> Places => new()
    {
        { "dns-01", "_acme-challenge", ["AAAA", "/.well-known", "port 80", "port 443", "here", "ALPN"] },
        { "dns-account-01", "_acme-challenge", ["AAAA", "/.well-known", "port 80", "port 443", "here", "ALPN"] },
        { "dns-persist-01", "_validation-persist", ["AAAA", "/.well-known", "port 80", "port 443", "here", "ALPN", "_acme-challenge"] },
    };

    [Theory]
    [MemberData(nameof(Places))]
    public void For_DnsChallenge_NamesOnlyItsRecord(string challengeType, string place, string[] foreign)
    {
        foreach (var advice in OfValidation.Select(problem => ProblemAdvice.For(problem, challengeType)))
        {
            Assert.Contains($"the TXT record of {place}", advice, StringComparison.Ordinal);
            Assert.All(foreign, other => Assert.DoesNotContain(other, advice, StringComparison.Ordinal));
        }
    }

    [Theory]
    [InlineData("tls-alpn-01", AcmeProblemTypes.Connection, "port 443 is open", "port 80")]
    [InlineData("tls-alpn-01", AcmeProblemTypes.Unauthorized, "drops the ALPN protocol acme-tls/1", "/.well-known")]
    [InlineData("tls-alpn-01", AcmeProblemTypes.IncorrectResponse, "drops the ALPN protocol acme-tls/1", "/.well-known")]
    [InlineData("tls-alpn-01", AcmeProblemTypes.Tls, "A proxy or load balancer in between that ends TLS", "/.well-known")]
    [InlineData("http-01", AcmeProblemTypes.Connection, "port 80 is open", "port 443")]
    [InlineData("http-01", AcmeProblemTypes.Unauthorized, "/.well-known/acme-challenge/ is passed through", "port 443")]
    [InlineData("http-01", AcmeProblemTypes.Tls, "redirected to HTTPS", "acme-tls/1")]
    [InlineData("x-01", AcmeProblemTypes.Unauthorized, "the x-01 challenge", "/.well-known")]
    [InlineData(null, AcmeProblemTypes.Connection, "port 80 (http-01) or 443 (tls-alpn-01)", "/.well-known")]
    [InlineData(null, AcmeProblemTypes.Unauthorized, "A and AAAA records", "/.well-known")]
    public void For_EachChallenge_NamesThePlaceOfTheResponse(string? challengeType, string problem, string expected, string foreign)
    {
        var advice = ProblemAdvice.For(problem, challengeType);

        Assert.Contains(expected, advice, StringComparison.Ordinal);
        Assert.DoesNotContain(foreign, advice, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http-01")]
    [InlineData("tls-alpn-01")]
    public void For_IpAddress_NamesNoRecords(string challengeType)
        => Assert.All(
            OfValidation.Where(problem => problem != AcmeProblemTypes.Dns),
            problem => Assert.DoesNotContain("AAAA", ProblemAdvice.For(problem, challengeType, isAddress: true), StringComparison.Ordinal));

    [Fact]
    public void Classify_FailedDnsChallenge_CarriesTheAdviceForIt()
    {
        var problem = new AcmeProblem { Type = AcmeProblemTypes.Unauthorized, Detail = "No TXT record found" };

        var report = FailureClassifier.Classify(new OrderFailedException("example.test was not validated", problem, "dns-01"));

        Assert.EndsWith(ProblemAdvice.For(AcmeProblemTypes.Unauthorized, "dns-01")!, report.Message, StringComparison.Ordinal);
    }
}
