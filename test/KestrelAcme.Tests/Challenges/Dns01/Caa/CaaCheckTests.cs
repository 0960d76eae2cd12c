using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Testing.Servers;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Challenges.Dns01.Caa;

/// <summary>Uses BIND.</summary>
public sealed class CaaCheckTests
{
    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Check_ZonesServersForbid_ThrowsWithTheRecordToAdd()
    {
        await using var bind = await StartBindAsync();
        await using var app = new DnsFixture(BindSettings.For(bind), bind.Address.Port);

        await CheckAsync(app, new CaaSubject("open.test", false), new CaaSubject("example.test", false));
        var exception = await Assert.ThrowsAsync<ChallengeException>(
            () => CheckAsync(app, new CaaSubject("open.test", false), new CaaSubject("www.example.test", true)));

        Assert.Equal(ChallengeFault.Operator, exception.Fault);
        Assert.Equal(
            "*.www.example.test: the CAA record set of example.test allows (issuewild) nobody, not ca.test. "
            + "Add: example.test. CAA 0 issuewild \"ca.test\". No order was placed.",
            exception.Message);
        Assert.Empty(app.Log.At(LogLevel.Warning));
    }

    [Fact]
    public async Task Check_OnlyAResolverForbids_Warns()
    {
        await using var bind = await StartBindAsync();
        await using var app = new DnsFixture(
            new Dictionary<string, string?> { ["AcmeHttps:DnsResolvers:0"] = bind.Address.ToString() },
            KestrelAcme.Testing.FreePort.TcpAndUdp());

        await CheckAsync(app, new CaaSubject("example.test", true));

        Assert.Contains("only a resolver says so", Assert.Single(app.Log.At(LogLevel.Warning)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_NothingAnswers_ForbidsNothing()
    {
        await using var app = new DnsFixture(new Dictionary<string, string?>(), KestrelAcme.Testing.FreePort.TcpAndUdp());

        await CheckAsync(app, new CaaSubject("example.test", false));

        Assert.True(app.Log.Has("CaaNotLookedUp"));
    }

    private static Task<BindServer> StartBindAsync() => BindServer.StartAsync(
        new BindOptions
        {
            Zones =
            [
                new BindZone("open.test"),
                new BindZone("example.test", "@ IN CAA 0 issue \"ca.test\"", "@ IN CAA 0 issuewild \";\""),
            ],
        },
        Cancelled);

    private static Task CheckAsync(DnsFixture app, params CaaSubject[] subjects) => app.Services.GetRequiredService<ICaaCheck>().CheckAsync(
        new CaaRequest { Subjects = subjects, CaaIdentities = ["ca.test"], AccountUrl = DnsFixture.Account, ChallengeTypes = ["dns-01"] },
        Cancelled);
}
