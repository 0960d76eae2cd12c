using System.Net;
using KestrelAcme.Challenges;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01.Servers;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

/// <summary>
/// Error responses of name servers and resolvers while a record is created or checked. Each has its own message, which names the server
/// and the zone.
/// </summary>
public sealed class DnsServerRefusalTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>What is wrong, the fault, and part of the message; {0} is the server at fault.</summary>
    public static TheoryData<string, ChallengeFault, string> Refusals => new()
    {
        {
            "wrong TSIG secret",
            ChallengeFault.Operator,
            "Zone example.test: The exchange with {0}, signed with key acme-update (hmac-sha256), failed"
        },
        {
            "wrong TSIG secret",
            ChallengeFault.Operator,
            "Compare TsigKeyName, TsigAlgorithm and TsigSecret with the server's key, and compare both clocks."
        },
        {
            "unknown TSIG key",
            ChallengeFault.Operator,
            "Zone example.test: The exchange with {0}, signed with key nobody (hmac-sha256), failed"
        },
        { "key without permission", ChallengeFault.Operator, "{0} rejected the update of zone example.test: REFUSED" },
        {
            "key without permission",
            ChallengeFault.Operator,
            "Allow the key acme-other to update TXT records of _acme-challenge.example.test."
        },
        { "no key", ChallengeFault.Operator, "Allow this machine's address to update TXT records of _acme-challenge.example.test." },
        { "not its zone", ChallengeFault.Operator, "{0} rejected the update of zone example.test: NOTAUTH" },
        { "update answers SERVFAIL", ChallengeFault.Local, "{0} rejected the update of zone example.test: SERVFAIL" },
        { "update server is dead", ChallengeFault.Local, "Zone example.test: {0} could not be reached over TCP" },
        { "resolver answers SERVFAIL", ChallengeFault.Local, "{0} answered SERVFAIL." },
        { "resolver answers REFUSED", ChallengeFault.Local, "{0} answered REFUSED." },
        {
            "resolver is dead",
            ChallengeFault.Local,
            "No resolver answered for _acme-challenge.example.test CNAME: {0} could not be reached over UDP"
        },
        {
            "no zone",
            ChallengeFault.Name,
            "No zone holds _acme-challenge.example.test: the resolvers show no SOA for it or any name above it."
        },
    };

    [Theory]
    [MemberData(nameof(Refusals))]
    public async Task Prepare_ServerRefuses_NamesServerZoneAndFix(string what, ChallengeFault fault, string expected)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        await using var foreign = what == "not its zone"
            ? await BindServer.StartAsync(new BindOptions { Zones = [new BindZone("other.test")] }, Cancelled)
            : null;
        using var fixedCode = new FixedCodeServer(
            what switch { "resolver answers REFUSED" => 5, "no zone" => 3, _ => 2 }, authoritative: false);
        var dead = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());
        var settings = BindSettings.For(bind);
        var (blamed, key, value) = what switch
        {
            "wrong TSIG secret" => (bind.Address, "TsigSecret", Convert.ToBase64String(new byte[32])),
            "unknown TSIG key" => (bind.Address, "TsigKeyName", "nobody"),
            "key without permission" => (bind.Address, "TsigKeyName", bind.OtherTsigKeyName),
            "no key" => (bind.Address, "TsigKeyName", null),
            "not its zone" => (foreign!.Address, "Server", foreign.Address.ToString()),
            "update answers SERVFAIL" => (fixedCode.EndPoint, "Server", fixedCode.EndPoint.ToString()),
            "update server is dead" => (dead, "Server", dead.ToString()),
            "resolver is dead" => (dead, "", dead.ToString()),
            _ => (fixedCode.EndPoint, "", fixedCode.EndPoint.ToString()),
        };
        settings[key.Length == 0 ? "AcmeHttps:DnsResolvers:0" : $"AcmeHttps:DnsProviders:0:{key}"] = value;
        if (what is "key without permission" or "no key" or "not its zone" or "update answers SERVFAIL")
        {
            settings["AcmeHttps:DnsProviders:0:TsigSecret"] = what == "key without permission" ? bind.OtherTsigSecret : null;
            settings["AcmeHttps:DnsProviders:0:TsigAlgorithm"] = null;
            settings["AcmeHttps:DnsProviders:0:TsigKeyName"] = what == "key without permission" ? bind.OtherTsigKeyName : null;
        }

        await using var app = new DnsFixture(settings, bind.Address.Port);

        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => app.Handler.PrepareAsync(DnsFixture.Challenge("example.test", "one"), Cancelled));

        Assert.Equal(fault, exception.Fault);
        Assert.StartsWith("_acme-challenge.example.test: the ", exception.Message, StringComparison.Ordinal);
        Assert.Contains(expected.Replace("{0}", blamed.ToString(), StringComparison.Ordinal), exception.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(
            settings["AcmeHttps:DnsProviders:0:TsigSecret"] ?? "no secret", $"{exception}\n{app.Log}", StringComparison.Ordinal);
        Assert.InRange(fixedCode.Questions, 0, 8);
    }

    /// <summary>What the zone's only server shows instead of the record, the fault, and part of the message.</summary>
    public static TheoryData<string, ChallengeFault, string> Missing => new()
    {
        { "SERVFAIL", ChallengeFault.Name, "responds with SERVFAIL" },
        { "REFUSED", ChallengeFault.Name, "responds with REFUSED" },
        { "NXDOMAIN", ChallengeFault.Name, "says that the name does not exist" },
        { "nothing", ChallengeFault.Name, "shows no TXT record" },
        { "lame", ChallengeFault.Name, "responds, but without authority: the delegation to it is lame" },
        { "dead", ChallengeFault.Local, "could not be reached over UDP" },
    };

    [Theory]
    [MemberData(nameof(Missing))]
    public async Task Wait_NoServerShowsTheRecord_EndsInTimeAndSaysWhatItShows(string what, ChallengeFault fault, string expected)
    {
        await using var bind = await BindServer.StartAsync(cancellationToken: Cancelled);
        using var bad = new FixedCodeServer(
            what switch { "SERVFAIL" => 2, "REFUSED" => 5, "NXDOMAIN" => 3, _ => 0 }, authoritative: what != "lame");
        var server = what == "dead" ? new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp()) : bad.EndPoint;
        await using var app = new DnsFixture(
            BindSettings.For(bind, ("PropagationTimeout", "00:00:02")), bind.Address.Port, endPointOf: _ => server);
        var challenge = DnsFixture.Challenge("example.test", "one");
        await app.Handler.PrepareAsync(challenge, Cancelled);

        var exception = await Assert.ThrowsAsync<ChallengeException>(() => app.Handler.WaitUntilVisibleAsync(challenge, Cancelled));

        Assert.Equal(fault, exception.Fault);
        Assert.StartsWith(
            "_acme-challenge.example.test: the TXT record _acme-challenge.example.test in zone example.test, "
            + $"created by RFC 2136 updates at {bind.Address}, "
            + $"was not visible everywhere within 00:00:02: ns1.example.test ({server}): ",
            exception.Message,
            StringComparison.Ordinal);
        Assert.Contains(expected, exception.Message, StringComparison.Ordinal);
        Assert.EndsWith("The challenge was not submitted to the CA.", exception.Message, StringComparison.Ordinal);
        Assert.InRange(bad.Questions, what == "dead" ? 0 : 2, 8);
    }
}
