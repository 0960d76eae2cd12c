using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Routing;

public sealed class NameRoutingTests
{
    private static readonly BindZone Zone = new(
        "example.test", "here IN A 127.0.0.1", "mail IN MX 10 here", "away IN CNAME nothing", "public IN A 192.0.2.1");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("here.example.test", false, NameRoute.Here)]
    [InlineData("missing.example.test", false, NameRoute.Gone)]
    [InlineData("mail.example.test", false, NameRoute.Gone)]
    [InlineData("away.example.test", false, NameRoute.Gone)]
    [InlineData("missing.example.test", true, NameRoute.Gone)]
    [InlineData("mail.example.test", true, NameRoute.Undecided)]
    [InlineData("away.example.test", true, NameRoute.Undecided)]
    [InlineData("public.example.test", true, NameRoute.Undecided)]
    [InlineData("other.zone", false, NameRoute.Unknown)]
    public async Task Find_Name_ReturnsItsRoute(string name, bool provenByDns, object expected)
    {
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [Zone] }, Cancelled);
        await using var fixture = new DnsFixture(new Dictionary<string, string?>(), bind.Address.Port);
        var places = fixture.Services.GetRequiredService<INameRouting>();

        Assert.Equal(expected, await places.FindAsync(new CertificateIdentifier(IdentifierKind.Dns, name), provenByDns, Cancelled));
    }
}
