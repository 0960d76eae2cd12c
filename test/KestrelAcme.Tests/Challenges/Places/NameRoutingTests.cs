using KestrelAcme.Challenges.Places;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Places;

public sealed class NameRoutingTests
{
    private static readonly BindZone Zone = new(
        "example.test", "here IN A 127.0.0.1", "mail IN MX 10 here", "away IN CNAME nothing", "public IN A 192.0.2.1");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("here.example.test", false, NamePlace.Here)]
    [InlineData("missing.example.test", false, NamePlace.Gone)]
    [InlineData("mail.example.test", false, NamePlace.Gone)]
    [InlineData("away.example.test", false, NamePlace.Gone)]
    [InlineData("missing.example.test", true, NamePlace.Gone)]
    [InlineData("mail.example.test", true, NamePlace.Undecided)]
    [InlineData("away.example.test", true, NamePlace.Undecided)]
    [InlineData("public.example.test", true, NamePlace.Undecided)]
    [InlineData("other.zone", false, NamePlace.Unknown)]
    public async Task Find_SomeName_SaysWhereItLeads(string name, bool provenByDns, object expected)
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [Zone] }, Cancelled);
        await using var fixture = new DnsFixture(new Dictionary<string, string?>(), bind.Address.Port);
        var places = fixture.Services.GetRequiredService<INamePlaces>();

        Assert.Equal(expected, await places.FindAsync(new CertificateIdentifier(IdentifierKind.Dns, name), provenByDns, Cancelled));
    }
}
