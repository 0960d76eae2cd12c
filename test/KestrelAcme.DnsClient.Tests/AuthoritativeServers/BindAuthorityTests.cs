using System.Net;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.DnsClient.Tests.AuthoritativeServers;

/// <summary>Lookups with real servers: a primary and a secondary on two loopback addresses.</summary>
public sealed class BindAuthorityTests : IAsyncLifetime
{
    private BindServer? _bind;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private BindServer Bind => _bind ?? throw new InvalidOperationException("Not started.");

    private DnsQueryClient Requestor => new(new DnsQueryClientOptions { Resolvers = { Bind.Address } });

    private AuthorityLookup Lookup => new(Requestor, address => new IPEndPoint(address, Bind.Address.Port));

    public async ValueTask InitializeAsync()
    {
        _bind = await StartAsync();
        // Starting waits only for the last zone.
        await _bind.TransferAsync("example.test", Cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_bind is not null)
        {
            await _bind.DisposeAsync();
        }
    }

    [Fact]
    public async Task FindAsync_RealZones_FindsCutsAndServers()
    {
        ZoneAuthority plain = await Lookup.FindAsync(DnsName.Parse("_acme-challenge.example.test"), Cancellation);
        ZoneAuthority aliased = await Lookup.FindAsync(DnsName.Parse("_acme-challenge.www.example.test"), Cancellation);
        ZoneAuthority delegated = await Lookup.FindAsync(DnsName.Parse("_acme-challenge.x.sub.example.test"), Cancellation);
        ZoneAuthority apex = await Lookup.FindAsync(DnsName.Parse("sub.example.test"), Cancellation);

        Assert.Equal("example.test", plain.Zone.ToString());
        Assert.Equal(("acme.test", "www.acme.test"), (aliased.Zone.ToString(), aliased.Name.ToString()));
        Assert.Equal("sub.example.test", delegated.Zone.ToString());
        Assert.Equal("sub.example.test", apex.Zone.ToString());
        Assert.Equal(
            [$"ns1.acme.test ({Bind.Address})", $"ns2.acme.test ({Bind.SecondaryAddress})"],
            aliased.Servers.Select(server => server.ToString()).Order());
        await Assert.ThrowsAsync<DnsAliasException>(() => Lookup.FindAsync(DnsName.Parse("circle.example.test"), Cancellation));
    }

    [Fact]
    public async Task QueryAsync_RealServers_AnswerAsAuthorities()
    {
        var big = DnsName.Parse("big.example.test");
        foreach (IPEndPoint server in new[] { Bind.Address, Bind.SecondaryAddress })
        {
            DnsResponse texts = await Requestor.QueryAsync(server, big, DnsRecordType.TXT, cancellationToken: Cancellation);
            DnsResponse strings = await Requestor.QueryAsync(
                server, DnsName.Parse("strings.example.test"), DnsRecordType.TXT, cancellationToken: Cancellation);

            Assert.True(texts.IsAuthoritative);
            Assert.Equal(40, texts.Answers.OfType<TxtRecord>().Count());
            Assert.Equal("one twoü", Assert.IsType<TxtRecord>(Assert.Single(strings.Answers)).Text);
        }

        DnsResponse missing = await Requestor.QueryAsync(
            Bind.Address, DnsName.Parse("missing.example.test"), DnsRecordType.A, cancellationToken: Cancellation);
        DnsResponse foreign = await Requestor.QueryAsync(
            Bind.Address, DnsName.Parse("foreign.test"), DnsRecordType.A, cancellationToken: Cancellation);
        Assert.Equal((DnsResponseCode.NXDOMAIN, true), (missing.Code, missing.IsAuthoritative));
        Assert.Equal("example.test", Assert.IsType<SoaRecord>(Assert.Single(missing.Authority)).Name.ToString());
        Assert.Equal((DnsResponseCode.REFUSED, false), (foreign.Code, foreign.IsAuthoritative));
    }

    [Fact]
    public async Task CaaFindAsync_RealZones_Climbs()
    {
        var caa = new CaaLookup(Requestor, Lookup);

        CaaRecordSet climbed = await caa.FindAsync(DnsName.Parse("a.b.sub.example.test"), Cancellation);
        CaaRecordSet aliased = await caa.FindAsync(DnsName.Parse("alias.example.test"), Cancellation);

        Assert.Equal(("example.test", true), (climbed.FoundAt?.ToString(), climbed.IsAuthoritative));
        Assert.Equal(
            ["issue ca.test; validationmethods=dns-01 False", "tbs x True"],
            climbed.Records.Select(record => $"{record.Tag} {record.Value} {record.IsCritical}").Order());
        Assert.Equal(("alias.example.test", true), (aliased.FoundAt?.ToString(), aliased.IsAuthoritative));
        Assert.Equal("alias.test", Assert.Single(aliased.Records).Value);
    }

    private static Task<BindServer> StartAsync() => BindServer.StartAsync(
        new BindOptions
        {
            HasSecondary = true,
            Zones =
            [
                new BindZone(
                    "example.test",
                    [
                        "_acme-challenge.www IN CNAME www.acme.test.",
                        "circle IN CNAME circle2", "circle2 IN CNAME circle",
                        "@ IN CAA 0 issue \"ca.test; validationmethods=dns-01\"", "@ IN CAA 128 tbs \"x\"",
                        "alias IN CNAME caa.acme.test.",
                        "strings IN TXT \"one\" \" two\" \"\" \"\\195\\188\"",
                        "sub IN NS ns1.sub", "ns1.sub IN A 127.0.0.1",
                        .. Enumerable.Range(0, 40).Select(i => $"big IN TXT \"{i} {new string('x', 200)}\""),
                    ]),
                new BindZone("sub.example.test"),
                new BindZone("acme.test", "caa IN CAA 0 issue \"alias.test\""),
            ],
        },
        Cancellation);
}
