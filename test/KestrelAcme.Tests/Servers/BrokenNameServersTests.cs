using System.Net;
using KestrelAcme.Hosting;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using KestrelAcme.Tests.Challenges.Dns01;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Tests.Servers;

/// <summary>Name servers behind networks that swallow packets, or answer in their place: real ones, in namespaces of their own.</summary>
[Long]
public sealed class BrokenNameServersTests
{
    private static readonly IPEndPoint Swallowed = new(IPAddress.Parse("10.77.0.2"), 53);
    private static readonly IPEndPoint Intercepted = new(IPAddress.Parse("10.77.1.2"), 53);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

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
