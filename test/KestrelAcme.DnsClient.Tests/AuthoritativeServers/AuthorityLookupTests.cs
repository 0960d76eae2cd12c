using System.Net;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Messages;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.AuthoritativeServers;

public sealed class AuthorityLookupTests
{
    private static readonly DnsName Challenge = DnsName.Parse("_acme-challenge.www.example.test");

    private static readonly DnsRecord[] Zone =
    [
        Reply.Soa("example.test"), Reply.Ns("example.test", "ns1.example.test"), Reply.Address("ns1.example.test", "127.0.0.1"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FindAsync_NoAlias_FindsTheZoneAbove(bool resolverCutsAuthority)
    {
        ZoneAuthority authority = await FindAsync(new ScriptedZones(Zone) { CutsAuthority = resolverCutsAuthority });

        Assert.Equal("example.test", authority.Zone.ToString());
        Assert.Equal([Challenge], authority.Aliases);
        Assert.Equal("ns1.example.test (127.0.0.1:53)", Assert.Single(authority.Servers).ToString());
    }

    [Fact]
    public async Task FindAsync_NameIsTheApex_FindsItsOwnZone()
    {
        var zones = new ScriptedZones([.. Zone, Reply.Soa("www.example.test"), Reply.Ns("www.example.test", "ns1.example.test")]);

        Assert.Equal("www.example.test", (await FindAsync(zones, DnsName.Parse("www.example.test"))).Zone.ToString());
        Assert.Equal("www.example.test", (await FindAsync(zones)).Zone.ToString());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task FindAsync_AliasAboveTheName_DoesNotMisleadTheClimb(bool resolverCutsAuthority)
    {
        // The parent is an alias into another zone, whose SOA is not the relevant one.
        DnsRecord[] records = [.. Zone, Reply.Cname("www.example.test", "test"), Reply.Soa("test")];
        var zones = new ScriptedZones(records) { CutsAuthority = resolverCutsAuthority };

        Assert.Equal("example.test", (await FindAsync(zones)).Zone.ToString());
    }

    [Fact]
    public async Task FindAsync_AliasesIntoAnotherZone_FollowsThem()
    {
        var zones = new ScriptedZones(
        [
            .. Zone,
            Reply.Cname(Challenge.ToString(), "a.example.test"),
            Reply.Cname("a.example.test", "b.other.test"),
            Reply.Soa("other.test"), Reply.Ns("other.test", "ns1.example.test"),
        ]);

        ZoneAuthority authority = await FindAsync(zones);

        Assert.Equal("other.test", authority.Zone.ToString());
        Assert.Equal("b.other.test", authority.Name.ToString());
        Assert.Equal([Challenge.ToString(), "a.example.test", "b.other.test"], authority.Aliases.Select(name => name.ToString()));
    }

    [Fact]
    public async Task FindAsync_AliasesInACircle_ShowsThem()
    {
        var zones = new ScriptedZones(
        [
            .. Zone, Reply.Cname(Challenge.ToString(), "a.example.test"),
            Reply.Cname("a.example.test", "b.test"), Reply.Cname("b.test", "A.example.test"),
        ]);

        var error = await Assert.ThrowsAsync<DnsAliasException>(() => FindAsync(zones));

        Assert.Equal(
            "The CNAMEs of _acme-challenge.www.example.test form a loop: "
            + "_acme-challenge.www.example.test -> a.example.test -> b.test -> A.example.test.",
            error.Message);
    }

    [Theory]
    [InlineData(16, true)]
    [InlineData(17, false)]
    public async Task FindAsync_ManyAliases_FollowsSixteen(int hops, bool found)
    {
        IEnumerable<DnsRecord> aliases = Enumerable.Range(0, hops)
            .Select(i => Reply.Cname(i == 0 ? Challenge.ToString() : $"h{i}.example.test", $"h{i + 1}.example.test"));

        Exception? error = await Record.ExceptionAsync(() => FindAsync(new ScriptedZones([.. Zone, .. aliases])));

        Assert.Equal(found ? null : typeof(DnsAliasException), error?.GetType());
    }

    [Fact]
    public async Task FindAsync_ServersOfAllKinds_AreSortedByWhetherTheyCanBeAsked()
    {
        var zones = new ScriptedZones(
        [
            .. Zone, Reply.Address("ns1.example.test", "127.0.0.2"),
            Reply.Ns("example.test", "unroutable.example.test"), Reply.Address("unroutable.example.test", "fe80::1"),
            Reply.Ns("example.test", "nowhere.example.test"),
            Reply.Ns("example.test", "broken.example.test"),
            Reply.Ns("example.test", "half.example.test"), Reply.Address("half.example.test", "127.0.0.3"),
        ]).Fail("broken.example.test", DnsRecordType.A, DnsResponseCode.SERVFAIL)
            .Fail("half.example.test", DnsRecordType.AAAA, DnsResponseCode.SERVFAIL);

        IReadOnlyList<AuthoritativeServer> servers = (await FindAsync(zones)).Servers;

        Assert.Equal(
            [
                "ns1.example.test (127.0.0.1:53, 127.0.0.2:53)", "unroutable.example.test (no address)",
                "nowhere.example.test (no address)", "broken.example.test (no address)", "half.example.test (127.0.0.3:53)",
            ],
            servers.Select(server => server.ToString()));
        Assert.Equal("[fe80::1]:53", Assert.Single(servers[1].Unroutable).ToString());
        Assert.Null(servers[2].Failure);
        Assert.Contains("SERVFAIL", servers[3].Failure!.Message, StringComparison.Ordinal);
        Assert.NotNull(servers[4].Failure);
    }

    [Fact]
    public async Task FindAsync_NoServerHasAnAddress_SaysWhyForEach()
    {
        var zones = new ScriptedZones(
        [
            Reply.Soa("example.test"),
            Reply.Ns("example.test", "ns1.example.test"), Reply.Address("ns1.example.test", "fe80::1"),
            Reply.Ns("example.test", "ns2.example.test"),
        ]);

        var error = await Assert.ThrowsAsync<DnsZoneException>(() => FindAsync(zones));

        Assert.Equal(
            "No name server of the zone example.test can be reached: "
            + "ns1.example.test has only addresses without a route from here ([fe80::1]:53); "
            + "ns2.example.test has no address.",
            error.Message);
    }

    [Fact]
    public async Task FindAsync_NoZone_Throws()
    {
        DnsZoneException rootOnly = await FailAsync(new ScriptedZones(Reply.Soa(".")));
        DnsZoneException nothing = await FailAsync(new ScriptedZones());
        DnsZoneException noServers = await FailAsync(new ScriptedZones(Reply.Soa("example.test")));

        Assert.Contains("know nothing below the DNS root", rootOnly.Message, StringComparison.Ordinal);
        Assert.Contains("show no SOA", nothing.Message, StringComparison.Ordinal);
        Assert.Contains("no NS records", noServers.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("*.example.test", "_acme-challenge.www.example.test", false, null)]
    [InlineData("*.www.example.test", "_acme-challenge.www.example.test", false, null)]
    [InlineData("*.www.example.test", "_acme-challenge.www.example.test", true, null)]
    [InlineData("*.www.example.test", "_acme-challenge.www.example.test", false, "parking.other.test")]
    [InlineData("*.www.example.test", "_acme-challenge.www.example.test", false, "real.other.test")]
    public async Task FindAsync_WildcardAlias_IsFollowedOnlyWhereTheNameHasItsOwn(string wildcard, string name, bool oneLabel, string? own)
    {
        DnsRecord[] records =
            [.. Zone, Reply.Soa("other.test"), Reply.Ns("other.test", "ns1.example.test"), Reply.Cname(wildcard, "parking.other.test")];
        records = own is null ? records : [.. records, Reply.Cname(name, own)];

        ZoneAuthority authority = await FindAsync(new ScriptedZones(records) { WildcardsAreOneLabel = oneLabel }, DnsName.Parse(name));

        Assert.Equal(own ?? name, authority.Name.ToString());
        Assert.Equal(own is null ? "example.test" : "other.test", authority.Zone.ToString());
        Assert.Equal(own is null ? "parking.other.test" : null, authority.WildcardTarget?.ToString());
    }

    [Fact]
    public async Task FindAsync_WildcardAliasBehindAnAlias_IsNotFollowed()
    {
        DnsRecord[] records =
        [
            .. Zone, Reply.Cname(Challenge.ToString(), "_acme-challenge.www.other.test"), Reply.Soa("other.test"), Reply.Ns(
                "other.test", "ns1.example.test"),
            Reply.Cname("*.other.test", "parking.example.test"),
        ];

        ZoneAuthority authority = await FindAsync(new ScriptedZones(records));

        Assert.Equal(("other.test", "_acme-challenge.www.other.test"), (authority.Zone.ToString(), authority.Name.ToString()));
    }

    [Theory]
    [InlineData(DnsAliasHandling.FollowAll, "parking.other.test")]
    [InlineData(DnsAliasHandling.Ignore, "_acme-challenge.www.example.test")]
    public async Task FindZoneAsync_WildcardAlias_IsHandledAsAskedFor(DnsAliasHandling aliases, string expected)
    {
        DnsRecord[] records = [.. Zone, Reply.Soa("other.test"), Reply.Cname("*.example.test", "parking.other.test")];
        await using var resolver = ScriptedServer.Honest(new ScriptedZones(records).Answer);

        ZoneAuthority authority = await Lookup(resolver).FindZoneAsync(Challenge, aliases, Cancellation);

        Assert.Equal(expected, authority.Name.ToString());
        Assert.Null(authority.WildcardTarget);
    }

    [Fact]
    public async Task FindZoneAsync_AliasesAreIgnored_AsksForNoAlias()
    {
        DnsRecord[] records = [.. Zone, Reply.Soa("other.test"), Reply.Cname(Challenge.ToString(), "real.other.test")];
        await using var resolver = ScriptedServer.Honest(new ScriptedZones(records).Answer);

        ZoneAuthority authority = await Lookup(resolver).FindZoneAsync(Challenge, DnsAliasHandling.Ignore, Cancellation);

        Assert.Equal(("example.test", Challenge), (authority.Zone.ToString(), authority.Name));
        Assert.DoesNotContain(resolver.Requests, request => MessageReader.Read(request.Request).Question!.Type == DnsRecordType.CNAME);
    }

    [Theory]
    [InlineData(DnsResponseCode.SERVFAIL, "_acme-challenge.www.example.test CNAME")]
    [InlineData(DnsResponseCode.REFUSED, "_acme-challenge.www.example.test CNAME")]
    [InlineData(DnsResponseCode.REFUSED, "_acme-challenge.www.example.test CNAME", "_acme-challenge.www.example.test SOA")]
    [InlineData(
        DnsResponseCode.SERVFAIL, "_acme-challenge.www.example.test CNAME", "_acme-challenge.www.example.test SOA", "www.example.test SOA")]
    public async Task FindAsync_NoAnswerForSomeNames_GoesOnAboveThem(DnsResponseCode code, params string[] failing)
    {
        ZoneAuthority authority = await FindAsync(Failing(new ScriptedZones(Zone), code, failing));

        Assert.Equal(("example.test", Challenge), (authority.Zone.ToString(), authority.Name));
        Assert.Equal(failing, authority.Unanswered.Select(failure => $"{failure.Name} {failure.Type}"));
    }

    [Fact]
    public async Task FindAsync_NoAnswerAtTheEndOfAnAlias_GoesOnAboveIt()
    {
        DnsRecord[] records =
        [
            .. Zone,
            Reply.Cname(Challenge.ToString(), "a.b.other.test"),
            Reply.Soa("other.test"),
            Reply.Ns("other.test", "ns1.example.test"),
        ];

        ZoneAuthority authority = await FindAsync(
            Failing(new ScriptedZones(records), DnsResponseCode.SERVFAIL, "a.b.other.test CNAME", "a.b.other.test SOA"));

        Assert.Equal(("other.test", "a.b.other.test"), (authority.Zone.ToString(), authority.Name.ToString()));
    }

    [Fact]
    public async Task FindAsync_NoAnswerForAllButATopLevelDomain_DoesNotTakeThatForTheZone()
    {
        var zones = Failing(
            new ScriptedZones(Reply.Soa("test")), DnsResponseCode.SERVFAIL,
            "_acme-challenge.www.example.test CNAME", "_acme-challenge.www.example.test SOA", "www.example.test SOA", "example.test SOA");

        var error = await Assert.ThrowsAsync<DnsResolutionException>(() => FindAsync(zones));

        Assert.Equal((Challenge, DnsRecordType.CNAME), (error.Name, error.Type));
    }

    private static ScriptedZones Failing(ScriptedZones zones, DnsResponseCode code, params string[] questions)
    {
        foreach (string[] question in questions.Select(text => text.Split(' ')))
        {
            zones.Fail(question[0], Enum.Parse<DnsRecordType>(question[1]), code);
        }

        return zones;
    }

    private static AuthorityLookup Lookup(ScriptedServer resolver) =>
        new(new DnsQueryClient(new DnsQueryClientOptions { Resolvers = { resolver.EndPoint } }));

    private static Task<DnsZoneException> FailAsync(ScriptedZones zones) => Assert.ThrowsAsync<DnsZoneException>(() => FindAsync(zones));

    private static async Task<ZoneAuthority> FindAsync(ScriptedZones zones, DnsName? name = null)
    {
        await using var resolver = ScriptedServer.Honest(zones.Answer);
        var requestor = new DnsQueryClient(new DnsQueryClientOptions { Resolvers = { resolver.EndPoint } });
        return await new AuthorityLookup(requestor).FindAsync(name ?? Challenge, Cancellation);
    }
}
