using System.Net.Http.Json;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Configuration;
using KestrelAcme.Hosting;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Which CNAMEs are followed, and where records may be created. Uses real name servers, because wildcards depend on them.
/// </summary>
public sealed class DnsAliasTests
{
    private const string Name = "_acme-challenge.example.test";

    private static readonly BindZone Foreign = new("foreign.test", "www IN A 127.0.0.9");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("example.test", "* IN CNAME parking.foreign.test.")]
    [InlineData("example.test", "* IN CNAME parking")]
    [InlineData("www.example.test", "* IN CNAME parking.foreign.test.")]
    [InlineData("www.example.test", "*.www IN CNAME parking.foreign.test.", "www IN A 127.0.0.1")]
    public async Task Flow_WildcardCname_TheRecordTakesItsPlace(string domain, params string[] records)
    {
        await using var bind = await BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", records), Foreign] }, Cancelled);
        await using var app = new DnsFixture(BindSettings.For(bind), bind.Address.Port);
        var challenge = DnsFixture.Challenge(domain, "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.Equal([DnsFixture.ValueOf(challenge)], await TxtQuery.AskAsync(bind.Address, $"_acme-challenge.{domain}", Cancelled));
        Assert.Contains(
            app.Log.At(LogLevel.Information),
            line => line.Message.Contains("comes from a wildcard and is not followed", StringComparison.Ordinal));
        await app.Handler.CleanUpAsync(challenge, Cancelled);
        Assert.Empty(app.Log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task Flow_WildcardCnameOfPowerDns_TheRecordTakesItsPlace()
    {
        await using var server = await PowerDnsServer.StartAsync(["example.test", "foreign.test"], Cancelled);
        var wildcard = new
        {
            name = "*.example.test.",
            type = "CNAME",
            ttl = 5,
            changetype = "REPLACE",
            records = new[] { new { content = "parking.foreign.test.", disabled = false } },
        };
        using (var client = server.CreateClient())
        {
            using var patched = await client.PatchAsJsonAsync(
                "api/v1/servers/localhost/zones/example.test.", new { rrsets = new[] { wildcard } }, Cancelled);
            patched.EnsureSuccessStatusCode();
        }

        var settings = new Dictionary<string, string?>
        {
            ["AcmeHttps:DnsProviders:0:Type"] = "PowerDns",
            ["AcmeHttps:DnsProviders:0:ApiUrl"] = server.ApiUrl.ToString(),
            ["AcmeHttps:DnsProviders:0:ApiKey"] = server.ApiKey,
        };
        await using var app = new DnsFixture(settings, server.Address.Port);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        Assert.Equal([DnsFixture.ValueOf(challenge)], await TxtQuery.AskAsync(server.Address, Name, Cancelled));
    }

    [Theory]
    [InlineData("example.test", "_acme-challenge.example.test", "* IN CNAME parking.foreign.test.")]
    [InlineData("example.test", "_acme-challenge.foreign.test", "_acme-challenge IN CNAME _acme-challenge.foreign.test.")]
    [InlineData(
        "example.test",
        "_acme-challenge.foreign.test",
        "_acme-challenge IN CNAME _acme-challenge.foreign.test.",
        "* IN CNAME parking.foreign.test.")]
    [InlineData(
        "example.test",
        "_acme-challenge.foreign.test",
        "_acme-challenge IN CNAME _acme-challenge.foreign.test.",
        "* IN CNAME _acme-challenge.foreign.test.")]
    [InlineData("sub.example.test", "_acme-challenge.foreign.test", "sub IN DNAME foreign.test.")]
    public async Task Prepare_CnamesOfAllKinds_OnlyThoseThatExistAreFollowed(string domain, string expected, params string[] records)
    {
        var (provider, exception) = await PrepareAsync(domain, records);

        Assert.Null(exception);
        Assert.Equal(expected, Assert.Single(provider.Created).Name);
    }

    [Fact]
    public async Task Prepare_FollowingIsTurnedOff_TheRecordStaysAtTheNameItself()
    {
        var (provider, exception) = await PrepareAsync(
            "example.test", ["_acme-challenge IN CNAME _acme-challenge.foreign.test."], options => options.FollowCnames = false);

        Assert.Null(exception);
        Assert.Equal((Name, "example.test"), (Assert.Single(provider.Created).Name, provider.Created.First().Zone));
    }

    [Fact]
    public async Task Prepare_CnameIntoAZoneWithoutProvider_SaysSo()
    {
        var (provider, exception) = await PrepareAsync(
            "example.test", ["_acme-challenge IN CNAME _acme-challenge.foreign.test."], options => options.Zones = ["another.test"]);

        Assert.Equal(
            $"{Name}: no DNS provider is configured for its record, which is _acme-challenge.foreign.test in zone foreign.test, " +
            $"where its CNAME leads ({Name} -> _acme-challenge.foreign.test). " +
            "Add one to AcmeHttps:DnsProviders with \"Zones\": [\"foreign.test\"], remove the CNAME, " +
            "or set FollowCnames to false for the provider of the name itself; " +
            "configured: Recording for another.test.",
            exception?.Message);
        Assert.Empty(provider.Created);
    }

    [Fact]
    public async Task Prepare_CnameIntoAZoneThatTheProviderDoesNotHave_SaysThatTheCnameLeadsThere()
    {
        var (_, exception) = await PrepareAsync(
            "example.test",
            ["_acme-challenge IN CNAME _acme-challenge.foreign.test."],
            created: _ => throw new DnsProviderException(DnsProviderFault.ZoneNotFound, "There is no zone foreign.test."));

        Assert.Contains(
            $"There is no zone foreign.test. The CNAME of {Name} leads to zone foreign.test: configure a DNS provider",
            exception?.Message,
            StringComparison.Ordinal);
        Assert.Contains("remove the CNAME, or set FollowCnames to false.", exception?.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("www.foreign.test.", null, false)]
    [InlineData("foreign.test.", null, false)]
    [InlineData("_dmarc.foreign.test.", null, false)]
    [InlineData("www.victim.test.", "victim.test", false)] // a name of a certificate is there
    [InlineData("www.foreign.test.", "foreign.test", true)]
    [InlineData("_acme-challenge.www.foreign.test.", null, true)]
    [InlineData("x._acme-challenge.foreign.test.", null, true)]
    [InlineData("a\\$\\(id\\)._acme-challenge.foreign.test.", null, false)]
    [InlineData("a\\`id\\`.foreign.test.", "foreign.test", false)]
    public async Task Prepare_ForeignCname_LeadsOnlyToNamesForChallenges(string target, string? zone, bool allowed)
    {
        var (provider, exception) = await PrepareAsync(
            "example.test", [$"_acme-challenge IN CNAME {target}"], options => options.Zones = zone is null ? [] : [zone]);

        Assert.Equal(allowed ? [target.TrimEnd('.')] : [], provider.Created.Select(record => record.Name));
        Assert.Equal(allowed, exception is null);
        Assert.True(
            allowed || exception!.Message.Contains(
                "Let the CNAME lead to a name with the label _acme-challenge", StringComparison.Ordinal));
    }

    private static async Task<(RecordingProvider Provider, ChallengeException? Exception)> PrepareAsync(
        string domain, string[] records, Action<DnsProviderOptions>? configure = null, Action<DnsTxtRecord>? created = null)
    {
        await using var bind = await BindServer.StartAsync(
            new BindOptions { Zones = [new BindZone("example.test", records), Foreign, new BindZone("victim.test", "www IN A 127.0.0.9")] },
            Cancelled);
        var provider = new RecordingProvider(created);
        var settings = new Dictionary<string, string?> { ["AcmeHttps:DomainNames:1"] = "victim.test" };
        await using var app = new DnsFixture(
            settings, bind.Address.Port, acme: acme => acme.AddDnsProvider("Recording", _ => provider, configure));
        var exception = await Record.ExceptionAsync(() => app.Handler.PrepareAsync(DnsFixture.Challenge(domain, "one"), Cancelled));
        return (provider, exception is null ? null : Assert.IsType<ChallengeException>(exception));
    }
}
