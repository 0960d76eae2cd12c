using KestrelAcme.Configuration;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class ExperimentalRulesTests
{
    [Fact]
    public void Build_DnsPersist01NotAllowedInCode_FixNamesTheCall() => Assert.Equal(
        [
            "AcmeHttps:ChallengeTypes:1 = 'dns-persist-01': follows a draft that may still change, and the app does not allow it. "
                + "Call AddDnsPersist01() on the result of AddAcmeHttps(), or remove it.",
            "AcmeHttps:Certificates:0:ChallengeTypes:0 = 'dns-persist-01': follows a draft that may still change, and the app does "
                + "not allow it. Call AddDnsPersist01() on the result of AddAcmeHttps(), or remove it.",
        ],
        TestFacts.Problems(Use));

    [Fact]
    public void Build_DnsPersist01AllowedInCode_Valid()
        => Assert.Empty(TestFacts.Problems(Use, TestFacts.Production with { ExperimentalChallengeTypes = ["dns-persist-01"] }));

    private static void Use(AcmeHttpsOptions options)
    {
        options.ChallengeTypes = ["dns-01", "dns-persist-01"];
        options.Certificates.Add(new CertificateOptions { DomainNames = ["a.example.com"], ChallengeTypes = ["dns-persist-01"] });
    }
}
