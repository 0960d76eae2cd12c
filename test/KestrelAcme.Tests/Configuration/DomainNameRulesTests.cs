using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class DomainNameRulesTests
{
    private static readonly string[] Http = ["http-01"];

    [Theory]
    [InlineData("printer.local", "'.local'")]
    [InlineData("db.internal", "'.internal'")]
    [InlineData("a.test", "'.test'")]
    [InlineData("quickstart.localhost", "'.localhost'")]
    [InlineData("localhost", "'.localhost'")]
    [InlineData("a.example", "'.example'")]
    [InlineData("a.invalid", "'.invalid'")]
    [InlineData("nas.home.arpa", "'.arpa'")]
    [InlineData("intranet", "single label")]
    [InlineData("127.0.0.1", "private or reserved")]
    [InlineData("10.1.2.3", "private or reserved")]
    [InlineData("172.31.255.255", "private or reserved")]
    [InlineData("192.168.0.1", "private or reserved")]
    [InlineData("100.64.0.1", "private or reserved")]
    [InlineData("169.254.1.1", "private or reserved")]
    [InlineData("255.255.255.255", "private or reserved")]
    [InlineData("::1", "private or reserved")]
    [InlineData("fe80::1", "private or reserved")]
    [InlineData("fd00::1", "private or reserved")]
    [InlineData("2001:db8::1", "private or reserved")]
    public void Check_NotPublic_RefusedForPublicAuthoritiesOnly(string name, string reason)
    {
        var refused = DomainNameRules.Check(name, Http, onlyPublicAuthorities: true);

        Assert.False(refused.IsSuccess);
        Assert.Contains(reason, refused.Reason, StringComparison.Ordinal);
        Assert.True(DomainNameRules.Check(name, Http, onlyPublicAuthorities: false).IsSuccess);
    }

    [Theory]
    [InlineData("ab--c.example.com", "'ab--c'")]
    [InlineData("xn--a.example.com", "'xn--a'")]
    [InlineData("xn--abc.example.com", "'xn--abc'")]
    [InlineData("xn--ls8h.example.com", "'xn--ls8h'")]
    [InlineData("*.xn--ls8h.example.com", "'xn--ls8h'")]
    [InlineData("1.2.3.4.5.6.7.8.9.example.com", "more than the 10 labels")]
    [
        InlineData(
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
            + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."
            + "example.com",
            "longer than the 230")]
    public void Check_NameThatPublicAuthoritiesAlwaysReject_Refused(string name, string reason)
    {
        Assert.Contains(reason, DomainNameRules.Check(name, ["dns-01"], onlyPublicAuthorities: true).Reason, StringComparison.Ordinal);
        Assert.True(DomainNameRules.Check(name, ["dns-01"], onlyPublicAuthorities: false).IsSuccess);
    }

    [Theory]
    [InlineData("xn--bcher-kva.example.com")]
    [InlineData("xn--mgbh0fb.xn--kgbechtv.com")]
    [InlineData("*.1.2.3.4.5.6.7.8.example.com")]
    [InlineData("1.2.3.4.5.6.7.8.example.com")]
    [InlineData("example.com")]
    [InlineData("test.example.com")]
    [InlineData("local.dev")]
    [InlineData("172.32.0.1")]
    [InlineData("8.8.8.8")]
    [InlineData("2606:4700::1")]
    public void Check_Public_Valid(string name)
        => Assert.True(DomainNameRules.Check(name, [.. Http, "dns-01"], onlyPublicAuthorities: true).IsSuccess);

    [Fact]
    public void Check_WildcardOfTopLevel_Refused()
        => Assert.Contains("single label", DomainNameRules.Check("*.com", ["dns-01"], true).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("http-01")]
    [InlineData("tls-alpn-01")]
    [InlineData("http-01", "tls-alpn-01")]
    public void Check_WildcardWithoutDns_Refused(params string[] types)
        => Assert.Contains("wildcard", DomainNameRules.Check("*.example.com", types, true).Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("dns-01")]
    [InlineData("http-01", "dns-01")]
    [InlineData("dns-persist-01")]
    public void Check_WildcardWithDns_Valid(params string[] types)
        => Assert.True(DomainNameRules.Check("*.example.com", types, true).IsSuccess);

    [Fact]
    public void Check_IpAddressWithDnsOnly_Refused()
        => Assert.Contains("IP address", DomainNameRules.Check("8.8.8.8", ["dns-01"], true).Reason, StringComparison.Ordinal);

    [Fact]
    public void Check_NameAtRunTime_FollowsSnapshot()
    {
        var snapshot = ConfigurationSnapshot.Disabled with { ChallengeTypes = ["dns-01"], Authorities = [] };

        Assert.True(DomainNameRules.Check("*.a.test", snapshot).IsSuccess);
        Assert.False(DomainNameRules.Check("*.a.test", snapshot with { ChallengeTypes = ["http-01"] }).IsSuccess);
    }
}
