using System.Net;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.DnsClient.Tests.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.AuthoritativeServers;

public sealed class CaaLookupTests
{
    private static readonly DnsName Host = DnsName.Parse("a.www.example.test");

    private static readonly DnsRecord[] Zone =
    [
        Reply.Soa("example.test"), Reply.Ns("example.test", "ns1.example.test"), Reply.Address("ns1.example.test", "127.0.0.1"),
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task FindAsync_NoRecords_IsEmpty()
    {
        CaaRecordSet found = await FindAsync(new ScriptedZones(Zone), new ScriptedZones(Zone) { IsAuthority = true });

        Assert.Empty(found.Records);
        Assert.Null(found.FoundAt);
        Assert.False(found.IsAuthoritative);
    }

    [Fact]
    public async Task FindAsync_RecordsAtTwoLevels_TakesTheCloserSet()
    {
        DnsRecord[] records =
        [
            .. Zone, Reply.Caa("example.test", "issue", "far.test"),
            Reply.Caa("www.example.test", "issue", "near.test"), Reply.Caa("www.example.test", "issuewild", ";"),
        ];

        CaaRecordSet found = await FindAsync(new ScriptedZones(records), new ScriptedZones(records) { IsAuthority = true });

        Assert.Equal(["issue near.test", "issuewild ;"], found.Records.Select(record => $"{record.Tag} {record.Value}"));
        Assert.Equal("www.example.test", found.FoundAt?.ToString());
        Assert.True(found.IsAuthoritative);
    }

    [Fact]
    public async Task FindAsync_ResolverIsStale_TakesTheAuthoritysWord()
    {
        var resolver = new ScriptedZones(
            [.. Zone, Reply.Caa("www.example.test", "issue", "old.test"), Reply.Caa("example.test", "issue", "old.test")]);
        var authority = new ScriptedZones([.. Zone, Reply.Caa("example.test", "issue", "new.test")]) { IsAuthority = true };

        CaaRecordSet found = await FindAsync(resolver, authority);

        Assert.Equal("new.test", Assert.Single(found.Records).Value);
        Assert.Equal("example.test", found.FoundAt?.ToString());
        Assert.True(found.IsAuthoritative);
    }

    [Theory]
    [InlineData(false, DnsResponseCode.NOERROR)] // lame: it answers, but not as an authority
    [InlineData(true, DnsResponseCode.REFUSED)]
    public async Task FindAsync_AuthorityGivesNoAnswer_TheResolversWordIsMarked(bool claims, DnsResponseCode code)
    {
        DnsRecord[] records = [.. Zone, Reply.Caa("example.test", "issue", "ca.test")];
        var authority = new ScriptedZones(records) { IsAuthority = claims };
        if (code != DnsResponseCode.NOERROR)
        {
            authority.Fail("example.test", DnsRecordType.CAA, code);
        }

        CaaRecordSet found = await FindAsync(new ScriptedZones(records), authority);

        Assert.Equal("ca.test", Assert.Single(found.Records).Value);
        Assert.False(found.IsAuthoritative);
    }

    [Fact]
    public async Task FindAsync_ResolverFailsOnTheWay_Throws()
    {
        // An unknown result must not look like no records: there might be records that forbid issuance.
        ScriptedZones zones = new ScriptedZones([.. Zone, Reply.Caa("example.test", "issue", "ca.test")])
            .Fail("www.example.test", DnsRecordType.CAA, DnsResponseCode.SERVFAIL);

        var error = await Assert.ThrowsAsync<DnsResolutionException>(() => FindAsync(zones, zones));

        Assert.Equal("www.example.test", error.Name.ToString());
    }

    private static async Task<CaaRecordSet> FindAsync(ScriptedZones resolverZones, ScriptedZones authorityZones)
    {
        await using var resolver = ScriptedServer.Honest(resolverZones.Answer);
        await using var authority = ScriptedServer.Honest(authorityZones.Answer);
        var requestor = new DnsQueryClient(new DnsQueryClientOptions { Resolvers = { resolver.EndPoint } });
        var lookup = new AuthorityLookup(requestor, address => new IPEndPoint(address, authority.EndPoint.Port));
        return await new CaaLookup(requestor, lookup).FindAsync(Host, Cancellation);
    }
}
