using System.Net;
using System.Net.Sockets;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01;

public sealed class RecordLookTests
{
    private static readonly RequiredDnsRecord Wanted = new(
        "_validation-persist.example.test", "TXT", "\"ca.test; accounturi=https://ca.test/account/1\"");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>Port 53 of the zone's name servers swallows all packets, as behind many firewalls: only the resolvers answer.</summary>
    [Long]
    [Fact]
    public async Task LookAsync_NameServersAreBlocked_TheResolversShowTheChange()
    {
        var zone = new BindZone("example.test", "@ IN CAA 0 issue \"other.test\"");
        await using var bind = await BindServer.StartAsync(new BindOptions { Zones = [zone] }, Cancelled);
        var port = FreePort.TcpAndUdp();
        using var blocked = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        blocked.Bind(new IPEndPoint(IPAddress.Loopback, port));
        using var accepted = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        accepted.Bind(new IPEndPoint(IPAddress.Loopback, port));
        accepted.Listen();
        await using var app = new DnsFixture(
            new Dictionary<string, string?> { ["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString() },
            port,
            endPointOf: _ => new IPEndPoint(IPAddress.Loopback, port));
        var look = app.Services.GetRequiredService<RecordLook>();

        var before = await look.LookAsync(["www.example.test"], [Wanted], Cancelled);
        await BindEdit.AddAsync(bind, "example.test", Wanted.ToString(), Cancelled);
        var after = await look.LookAsync([], [Wanted], Cancelled);

        Assert.NotNull(before.Mark);
        Assert.False(before.ShowsAll);
        Assert.True(after.ShowsAll);
    }
}
