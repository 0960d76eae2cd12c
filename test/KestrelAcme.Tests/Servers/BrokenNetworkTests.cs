using System.Net;
using KestrelAcme.Certificates;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01;
using KestrelAcme.Tests.EndToEnd;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Servers;

/// <summary>Networks that swallow packets, or answer in another's place: real ones, in namespaces of their own.</summary>
public sealed class BrokenNetworkTests
{
    private const string Name = "app.test";

    private static readonly IPEndPoint Swallowed = new(IPAddress.Parse("10.77.0.2"), 53);
    private static readonly IPEndPoint Intercepted = new(IPAddress.Parse("10.77.1.2"), 53);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Authority_OneAddressSwallowsConnections_TheOtherIsUsed()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("fd77::2 localhost\n127.0.0.1 localhost\n", Cancelled);
            return;
        }

        Assert.Contains(await Dns.GetHostAddressesAsync("localhost", Cancelled), address => address.Equals(IPAddress.Parse("fd77::2")));
        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://localhost:{fixture.Authority.DirectoryUrl.Port}/directory";
        await using var app = await fixture.StartAppAsync(settings);

        await app.ObtainedAsync(Name);

        Assert.Empty(app.Log.Lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.ToString()));
    }

    [Fact]
    public async Task Authority_OneAddressBreaksTls_TheOtherIsUsedNext()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("10.77.1.2 localhost\n127.0.0.1 localhost\n", Cancelled);
            return;
        }

        await using var fixture = await LocalFixture.StartAsync();
        await using var broken = new OddHttpServer(Intercepted.Address, fixture.Authority.DirectoryUrl.Port);
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://localhost:{fixture.Authority.DirectoryUrl.Port}/directory";
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await app.ObtainedAsync(Name);
    }

    [Fact]
    public async Task Authority_NoAddressAnswers_TheMessageNamesEachAndWhatItDid()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync(
                "127.0.0.1 localhost\nfd77::2 ca.test\n10.77.0.2 ca.test\n10.77.1.2 ca.test\n", Cancelled);
            return;
        }

        await using var fixture = await LocalFixture.StartAsync();
        var settings = fixture.Settings(Name);
        settings["AcmeHttps:DirectoryUrl"] = $"https://ca.test:{FreePort.Tcp()}/directory";
        await using var app = await fixture.StartAppAsync(settings, configure: QuickIssuance.Apply);

        await Poll.UntilAsync(
            () => app.Certificates.Find(Name)?.Failure is not null, $"a failure\n{app.Log}", TimeSpan.FromMinutes(2), Cancelled);

        var failure = app.Certificates.Find(Name)!.Failure!;
        Assert.Equal(FailureCause.Authority, failure.Cause);
        Assert.Contains("fd77::2 did not answer", failure.Message, StringComparison.Ordinal);
        Assert.Contains("10.77.0.2 did not answer", failure.Message, StringComparison.Ordinal);
        Assert.Contains("10.77.1.2 refused the connection", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NameServers_PortIsBlocked_TheResolversAreAskedAndTheAdviceGiven()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("127.0.0.1 localhost\n", Cancelled);
            return;
        }

        await using var resolver = new HostileDnsServer(DnsHostility.None);
        await AssertResolversAreAskedAsync(resolver, Swallowed);
    }

    [Fact]
    public async Task NameServers_PortIsIntercepted_TheResolversAreAskedAndTheAdviceGiven()
    {
        if (!NetworkNamespace.IsInside)
        {
            await NetworkNamespace.RunThisTestAsync("127.0.0.1 localhost\n", Cancelled);
            return;
        }

        await using var resolver = new HostileDnsServer(DnsHostility.None);
        await using var interceptor = new HostileDnsServer(DnsHostility.NotAuthoritative, address: Intercepted);
        await AssertResolversAreAskedAsync(resolver, Intercepted);
        Assert.True(interceptor.Questions > 0);
    }

    private static async Task AssertResolversAreAskedAsync(HostileDnsServer resolver, IPEndPoint nameServer)
    {
        var provider = new RecordingProvider(record => resolver.Texts.GetOrAdd(record.Name, _ => []).Add(record.Value));
        await using var app = new DnsFixture(
            new Dictionary<string, string?>(),
            resolver.Address.Port,
            acme: acme => acme.AddDnsProvider("Recording", _ => provider),
            endPointOf: _ => nameServer);
        var challenge = DnsFixture.Challenge("example.test", "one");

        await app.Handler.PrepareAsync(challenge, Cancelled);
        await app.Handler.WaitUntilVisibleAsync(challenge, Cancelled);

        var warning = Assert.Single(app.Log.At(LogLevel.Warning));
        Assert.Equal("DnsServersUnusable", warning.Event.Name);
        Assert.Contains("set PropagationCheck: Resolvers", warning.Message, StringComparison.Ordinal);
        Assert.Contains(nameServer.ToString(), warning.Message, StringComparison.Ordinal);
        await app.Handler.CleanUpAsync(challenge, Cancelled);
    }
}
