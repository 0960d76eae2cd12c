using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Records;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Caa;

public sealed class CaaPolicyTests
{
    private static readonly CaaRequest Request = new()
    {
        Subjects = [],
        CaaIdentities = ["ca.test", "also.test"],
        AccountUrl = new Uri("https://ca.test/account/1"),
        ChallengeTypes = ["dns-01"],
    };

    [Theory]
    [InlineData("", false)]
    [InlineData("0 issue ca.test", false)]
    [InlineData("0 ISSUE  CA.Test. ", false)]
    [InlineData("0 issue other.test|0 issue also.test", false)]
    [InlineData("0 issue ca.test; validationmethods=http-01,dns-01", false)]
    [InlineData("0 issue ca.test;accounturi=https://ca.test/account/1", false)]
    [InlineData("0 issue ca.test; unknown=1", false)]
    [InlineData("0 issue other.test|0 issuewild ca.test", true)]
    [InlineData("0 issuewild ;", false)]
    [InlineData("0 iodef mailto:a@example.test", false)]
    [InlineData("128 iodef mailto:a@example.test", false)]
    [InlineData("0 tbs x", false)]
    public void Judge_Records_AllowedAsTheySay(string records, bool wildcard)
        => Assert.Equal(CaaVerdictKind.Allowed, Judge(records, wildcard).Kind);

    [Theory]
    [InlineData("0 issue other.test", false, "allows (issue) other.test, not ca.test or also.test")]
    [InlineData("0 issue ;", false, "allows (issue) nobody, not ca.test or also.test")]
    [InlineData("0 issue ;", true, "allows (issue) nobody, not ca.test or also.test")]
    [InlineData("0 issue ca.test|0 issuewild other.test", true, "allows (issuewild) other.test, not ca.test or also.test")]
    [InlineData(
        "0 issue ca.test; accounturi=https://ca.test/account/2",
        false,
        "allows (issue) ca.test for the account https://ca.test/account/2 only, not for https://ca.test/account/1")]
    [InlineData(
        "0 issue ca.test; accounturi=https://ca.test/account/1; accounturi=https://ca.test/account/2",
        false,
        "allows (issue) ca.test for the account")]
    [InlineData(
        "0 issue ca.test; validationmethods=http-01",
        false,
        "allows (issue) ca.test with validationmethods=http-01 only, and ChallengeTypes is dns-01")]
    [InlineData("0 issue ca.test; garbage", false, "has a malformed parameter in its issue property for ca.test")]
    public void Judge_Forbidden_SaysWhy(string records, bool wildcard, string reason)
    {
        var verdict = Judge(records, wildcard);

        Assert.Equal(CaaVerdictKind.Forbidden, verdict.Kind);
        Assert.StartsWith(reason, verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Judge_CriticalUnknown_IsDoubtful() => Assert.Equal(CaaVerdictKind.Doubtful, Judge("128 tbs x|0 issue ca.test", false).Kind);

    private static CaaVerdict Judge(string records, bool wildcard)
    {
        var owner = DnsName.Parse("example.test");
        var set = from record in records.Split('|', StringSplitOptions.RemoveEmptyEntries)
                  let parts = record.Split(' ', 3)
                  select new CaaRecord(
                      owner,
                      TimeSpan.FromSeconds(5),
                      byte.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture),
                      parts[1],
                      parts[2]);
        return CaaPolicy.Judge([.. set], new CaaSubject("example.test", wildcard), Request);
    }
}
