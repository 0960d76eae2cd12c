using System.Net;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class ChallengeTestServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task StartAsync_AnyName_ResolvesToLoopbackUntilToldOtherwise()
    {
        await using var server = await ChallengeTestServer.StartAsync(Cancellation);
        var address = new IPEndPoint(IPAddress.Loopback, server.DnsPort);

        Assert.Equal(["127.0.0.1"], await Dig.QueryAsync(address, "www.example.test", "A", Cancellation));
        Assert.Empty(await Dig.QueryAsync(address, "www.example.test", "AAAA", Cancellation));
        await server.SetAddressesAsync("www.example.test", ["127.0.0.7"], Cancellation);
        Assert.Equal(["127.0.0.7"], await Dig.QueryAsync(address, "www.example.test", "A", Cancellation));
    }

    [Fact]
    public async Task AddTxtAsync_TwoValues_StandSideBySideUntilCleared()
    {
        await using var server = await ChallengeTestServer.StartAsync(Cancellation);
        var address = new IPEndPoint(IPAddress.Loopback, server.DnsPort);

        await server.AddTxtAsync("_acme-challenge.example.test", "one", Cancellation);
        await server.AddTxtAsync("_acme-challenge.example.test", "two", Cancellation);

        var values = await Dig.QueryAsync(address, "_acme-challenge.example.test", "TXT", Cancellation);
        Assert.Equal(["\"one\"", "\"two\""], values.Order());
        await server.ClearTxtAsync("_acme-challenge.example.test", Cancellation);
        Assert.Empty(await Dig.QueryAsync(address, "_acme-challenge.example.test", "TXT", Cancellation));
        Assert.NotEqual(0, (await server.GetQueriesAsync("_acme-challenge.example.test", Cancellation)).GetArrayLength());
    }
}
