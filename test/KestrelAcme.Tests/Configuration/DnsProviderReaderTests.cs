using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using Xunit;

namespace KestrelAcme.Tests.Configuration;

public sealed class DnsProviderReaderTests
{
    private const string Secret = "c2VjcmV0LXZhbHVl";

    private static readonly EnvironmentFacts Facts = TestFacts.Production with
    {
        DnsProviderTypes = [
            Rfc2136Options.ProviderType, CloudflareOptions.ProviderType, PowerDnsOptions.ProviderType, ExecOptions.ProviderType],
        ReadFile = path => path == "/run/secrets/token" ? $"{Secret}\n" : throw new FileNotFoundException("No such file.", path),
    };

    [Fact]
    public void Read_Valid_SecretsFromFilesAndNoneShown()
    {
        var snapshot = TestFacts.Snapshot(
            options => options.DnsProviders = [
                new CloudflareOptions
                {
                    ApiTokenFile = "/run/secrets/token",
                    Zones = ["Example.COM.", "*.bücher.example"],
                    MinimumWait = TimeSpan.FromSeconds(5),
                }],
            Facts);

        var provider = Assert.Single(snapshot.DnsProviders);
        Assert.Equal(Secret, provider.Settings.Get("ApiToken"));
        Assert.Equal(["example.com", "xn--bcher-kva.example"], provider.Zones);
        Assert.DoesNotContain(Secret, $"{snapshot} {provider} {provider.Settings}", StringComparison.Ordinal);
    }

    [Fact]
    public void Read_SameTwice_SnapshotsAreEqual()
    {
        static void Change(AcmeHttpsOptions options) => options.DnsProviders = [new CloudflareOptions { ApiToken = Secret }];

        Assert.Equal(TestFacts.Snapshot(Change, Facts), TestFacts.Snapshot(Change, Facts));
        Assert.NotEqual(
            TestFacts.Snapshot(Change, Facts),
            TestFacts.Snapshot(options => options.DnsProviders = [new CloudflareOptions { ApiToken = "other" }], Facts));
    }

    public static TheoryData<DnsProviderOptions, string> Bad => new()
    {
        { new DnsProviderOptions(), "AcmeHttps:DnsProviders:0:Type: is missing. Write one of Cloudflare, Exec, PowerDns, Rfc2136." },
        {
            new DnsProviderOptions { Type = "Cloudflair" },
            "AcmeHttps:DnsProviders:0:Type = 'Cloudflair': is not a known type of DNS provider. Did you mean 'Cloudflare'?"
        },
        {
            new CloudflareOptions(),
            "AcmeHttps:DnsProviders:0:ApiToken: is missing. Write a value such as 'an API token with the permissions Zone.DNS Edit "
                + "and Zone.Zone Read', or the path of a file that contains it in ApiTokenFile."
        },
        {
            new CloudflareOptions { ApiToken = Secret, ApiTokenFile = "/run/secrets/token" },
            "AcmeHttps:DnsProviders:0:ApiTokenFile: is set in addition to ApiToken. Remove one of them."
        },
        {
            new CloudflareOptions { ApiTokenFile = "/nowhere" },
            "AcmeHttps:DnsProviders:0:ApiTokenFile: names a file that does not exist (the value is not shown because it may be the "
                + "secret itself). Write the path of a file that contains the secret and that the app's user can read, never the secret."
        },
        {
            new CloudflareOptions { ApiToken = Secret, ApiUrl = "http://api.example/" },
            "AcmeHttps:DnsProviders:0:ApiUrl = 'http://api.example/': is plain http, which would expose the secret that is "
                + "sent. Write a value such as 'https://api.cloudflare.com/client/v4/'."
        },
        {
            new CloudflareOptions { ApiToken = Secret, Zones = ["https://x"] },
            "AcmeHttps:DnsProviders:0:Zones:0 = 'https://x': is a URL, not a domain name. Write 'x'."
        },
        {
            new CloudflareOptions { ApiToken = Secret, PropagationTimeout = TimeSpan.FromDays(1) },
            "AcmeHttps:DnsProviders:0:PropagationTimeout = '1.00:00:00': is not between 00:00:01 and 01:00:00. Write a duration such "
                + "as 00:05:00 (five minutes)."
        },
        {
            new Rfc2136Options { Server = "ns1.example.com:x" },
            "AcmeHttps:DnsProviders:0:Server = 'ns1.example.com:x': is not the address or name of a server. Write a value such as "
                + "'192.0.2.1:53'."
        },
        {
            new Rfc2136Options { Server = "192.0.2.1", TsigKeyName = "k" },
            "AcmeHttps:DnsProviders:0:TsigSecret: is missing, and TsigKeyName has no use without it. Write it, or remove TsigKeyName."
        },
        {
            new Rfc2136Options { Server = "192.0.2.1", TsigKeyName = "k", TsigSecret = "not base64!" },
            "AcmeHttps:DnsProviders:0:TsigSecret: is not base64 (the value is not shown, it is a secret). Write a value such "
                + "as 'the secret as it is in the server's key statement'."
        },
        {
            With(new CloudflareOptions(), "ApiTokn", Secret),
            "AcmeHttps:DnsProviders:0:ApiTokn: is not a known key of Cloudflare. Did you mean 'ApiToken'?"
        },
        {
            new ExecOptions { Program = "hook.sh" },
            "AcmeHttps:DnsProviders:0:Program = 'hook.sh': is not the full path of a program that exists. Write a value such as "
                + "'/usr/local/bin/dns-hook'."
        },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void Read_Invalid_ReasonAndFix(DnsProviderOptions provider, string expected)
    {
        var problems = TestFacts.Problems(options => options.DnsProviders = [provider], Facts);

        Assert.Contains(expected, problems);
        Assert.All(problems, problem => Assert.DoesNotContain(Secret, problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Read_TwoForOneZone_IsAProblem()
    {
        CloudflareOptions[] two = [new() { ApiToken = Secret, Zones = ["a.example"] }, new() { ApiToken = Secret, Zones = ["A.example"] }];
        CloudflareOptions[] all = [new() { ApiToken = Secret }, new() { ApiToken = Secret }];

        Assert.Equal(
            ["AcmeHttps:DnsProviders:1:Zones:0 = 'A.example': is the same zone as AcmeHttps:DnsProviders:0:Zones:0. Remove one of them."],
            TestFacts.Problems(o => o.DnsProviders = [.. two], Facts));
        Assert.Equal(
            [
                "AcmeHttps:DnsProviders:1:Zones: is empty for more than one provider, so both would be responsible for all zones. "
                    + "Write the zones of one of them."],
            TestFacts.Problems(o => o.DnsProviders = [.. all], Facts));
    }

    [Theory]
    [InlineData("192.0.2.53", "192.0.2.53:53")]
    [InlineData("192.0.2.53:5353", "192.0.2.53:5353")]
    [InlineData("2001:db8::53", "[2001:db8::53]:53")]
    [InlineData("[2001:db8::53]:5353", "[2001:db8::53]:5353")]
    public void DnsResolvers_Valid_Parsed(string text, string expected)
        => Assert.Equal(expected, Assert.Single(TestFacts.Snapshot(options => options.DnsResolvers = [text]).DnsResolvers).ToString());

    [Theory]
    [InlineData("dns.example")]
    [InlineData("192.0.2.53:0")]
    [InlineData("")]
    public void DnsResolvers_Invalid_AreProblems(string text)
        => Assert.Contains(
            "is not the address of a resolver",
            Assert.Single(TestFacts.Problems(options => options.DnsResolvers = [text])),
            StringComparison.Ordinal);

    private static CloudflareOptions With(CloudflareOptions options, string key, string value)
    {
        options.Settings[key] = value;
        return options;
    }
}
