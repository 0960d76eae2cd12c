using KestrelAcme.Challenges.Dns01;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class DnsChallengeNamesTests
{
    [Fact]
    public void DnsAccount01_ExampleOfTheDraft_IsItsLabel() => Assert.Equal(
        "_ujmmovf2vn55tgye._acme-challenge.example.org",
        DnsChallengeNames.DnsAccount01("example.org", new Uri("https://example.com/acme/acct/ExampleAccount")));

    [Fact]
    public void Value_KeyAuthorization_IsItsDigest() => Assert.Equal(
        "n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg",
        DnsChallengeNames.Value("test"));
}
