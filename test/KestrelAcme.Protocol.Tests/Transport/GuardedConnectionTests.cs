using System.Net;
using System.Net.Sockets;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Transport;
using KestrelAcme.Testing;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Protocol.Tests.Transport;

public sealed class GuardedConnectionTests
{
    private static readonly Uri Remote = new("https://ca.test/directory");
    private static readonly Uri Here = new("https://localhost/directory");
    private static readonly byte[] Ok = OddAnswers.Latin1("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Connect_OneAddressSwallowsPackets_TheOtherAnswers(bool silentFirst)
    {
        await using var live = new OddHttpServer { Answer = Ok };
        using var silent = new SilentListener(IPAddress.Parse("127.0.0.2"), live.EndPoint.Port);
        IPAddress[] addresses = silentFirst ? [silent.EndPoint.Address, live.EndPoint.Address]
            : [live.EndPoint.Address, silent.EndPoint.Address];

        Assert.Equal("ok", await GetAsync($"http://app.test:{live.EndPoint.Port}/",
            new GuardedConnection(null, TimeProvider.System, (_, _, _) => Task.FromResult(addresses))));
    }

    [Fact]
    public async Task Connect_FiveOfSixAddressesAreDead_TheSixthAnswers()
    {
        await using var live = new OddHttpServer { Answer = Ok };
        using var silent = new SilentListener(IPAddress.Parse("127.0.0.2"), live.EndPoint.Port);
        using var alsoSilent = new SilentListener(IPAddress.Parse("127.0.0.3"), live.EndPoint.Port);
        IPAddress[] addresses =
        [
            silent.EndPoint.Address, IPAddress.Parse("127.0.0.4"), alsoSilent.EndPoint.Address, IPAddress.Parse("127.0.0.5"),
            IPAddress.IPv6Loopback, live.EndPoint.Address,
        ];

        Assert.Equal("ok", await GetAsync($"http://app.test:{live.EndPoint.Port}/",
            new GuardedConnection(null, TimeProvider.System, (_, _, _) => Task.FromResult(addresses))));
    }

    [Fact]
    public async Task Connect_FirstAddressAcceptsAndSendsNothing_TheOtherIsTheFirstOneNextTime()
    {
        await using var live = new OddHttpServer { Answer = Ok };
        await using var broken = new OddHttpServer(IPAddress.Parse("127.0.0.2"), live.EndPoint.Port);
        var time = new FakeTimeProvider();
        IPAddress[] addresses = [broken.EndPoint.Address, live.EndPoint.Address];
        var guard = new GuardedConnection(null, time, (_, _, _) => Task.FromResult(addresses));
        var url = $"http://app.test:{live.EndPoint.Port}/";

        // The handler repeats a request without a body by itself; one with a body fails, and the next one goes elsewhere.
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(url, guard));
        Assert.Equal("ok", await GetAsync(url, guard));
        Assert.Equal("ok", await GetAsync(url, guard));
        Assert.Equal(1, broken.Requests);

        // Once it works again, it is tried in its usual order.
        broken.Answer = Ok;
        time.Advance(TimeSpan.FromMinutes(11));
        Assert.Equal("ok", await GetAsync(url, guard));
        Assert.Equal("ok", await GetAsync(url, guard));
        Assert.Equal(3, broken.Requests);
    }

    [Fact]
    public async Task Connect_NoAddressAnswers_EachIsNamed()
    {
        var closed = FreePort.Tcp();
        using var silent = new SilentListener(IPAddress.Parse("127.0.0.2"), closed);
        var time = new FakeTimeProvider();
        var connecting = GetAsync($"http://app.test:{closed}/",
            new GuardedConnection(null, time, (_, _, _) => Task.FromResult<IPAddress[]>([silent.EndPoint.Address, IPAddress.Loopback])));

        await time.RunUntilCompleteAsync(connecting.ContinueWith(_ => { }, TaskScheduler.Default), TimeSpan.FromMinutes(1),
            TimeSpan.FromMilliseconds(500), Cancelled);
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => connecting);

        Assert.Contains($"no connection to app.test:{closed}: 127.0.0.1 refused the connection; 127.0.0.2 did not answer within 15 s",
            failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::1")]
    [InlineData("169.254.169.254")]
    [InlineData("fd00:ec2::254")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    public async Task Connect_RemoteServersHostLeadsHere_IsNotTried(string address)
    {
        await using var service = new OddHttpServer { Answer = Ok };
        var guard = new GuardedConnection(Remote, TimeProvider.System, (_, _, _)
            => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]));

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync($"http://crl.test:{service.EndPoint.Port}/", guard));

        Assert.Contains($"{address} was not tried: it is ", failure.Message, StringComparison.Ordinal);
        Assert.Contains("but ca.test is not", failure.Message, StringComparison.Ordinal);
        Assert.Equal(0, service.Requests);
    }

    [Fact]
    public async Task Connect_OneAddressIsForbidden_TheOtherIsTried()
    {
        await using var live = new OddHttpServer { Answer = Ok };
        var guard = new GuardedConnection(Here, TimeProvider.System, (_, _, _)
            => Task.FromResult<IPAddress[]>([IPAddress.Parse("169.254.169.254"), IPAddress.Loopback]));

        Assert.Equal("ok", await GetAsync($"http://app.test:{live.EndPoint.Port}/", guard));

        await live.DisposeAsync();
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync($"http://app.test:{live.EndPoint.Port}/", guard));
        Assert.Contains(
            "169.254.169.254 was not tried: it is a link-local address, but localhost is not; 127.0.0.1 refused the connection",
            failure.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_ServerIsHereItself_ItsOtherHostsMayBeToo()
    {
        await using var service = new OddHttpServer { Answer = Ok };

        Assert.Equal("ok", await GetAsync($"http://crl.test:{service.EndPoint.Port}/",
            new GuardedConnection(Here, TimeProvider.System, (_, _, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]))));
    }

    /// <summary>The server's name may resolve to this machine; over plain HTTP, an attacker's DNS could claim the same.</summary>
    [Theory]
    [InlineData("https", true)]
    [InlineData("http", false)]
    public async Task Connect_ServersOwnNameLeadsHere_OnlyWithTls(string scheme, bool connects)
    {
        await using var service = new OddHttpServer { Answer = Ok };
        var guard = new GuardedConnection(Remote, TimeProvider.System, (_, _, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync($"{scheme}://ca.test:{service.EndPoint.Port}/", guard));

        // What arrives is a ClientHello.
        Assert.Equal(connects ? 1 : 0, service.Requests);
    }

    [Fact]
    public async Task Connect_ThroughAProxyOfThisMachine_IsAllowedButNotToThisMachine()
    {
        await using var proxy = new OddHttpServer { Answer = Ok };
        using var handler = new SocketsHttpHandler
        {
            Proxy = new WebProxy($"http://127.0.0.1:{proxy.EndPoint.Port}", BypassOnLocal: false),
            ConnectCallback = GuardedConnection.WithinReachOf(Remote, TimeProvider.System).ConnectAsync,
        };
        using var client = new HttpClient(handler);

        Assert.Equal("ok", await client.GetStringAsync(new Uri("http://crl.test/"), Cancelled));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetStringAsync(new Uri("http://169.254.169.254/"), Cancelled));
        Assert.Equal(1, proxy.Requests);
    }

    [Fact]
    public async Task Connect_NameDoesNotResolve_SaysSo()
    {
        var guard = new GuardedConnection(null, TimeProvider.System, (_, _, _) => throw new SocketException((int)SocketError.HostNotFound));

        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => GetAsync("http://app.test/", guard));

        Assert.Contains("the host name app.test does not resolve", failure.Message, StringComparison.Ordinal);
    }

    /// <summary>The resolver of the operating system ignores its token once it has begun.</summary>
    [Fact]
    public async Task Connect_ResolverSaysNothing_EndsInTime()
    {
        var time = new FakeTimeProvider();
        var connecting = GetAsync(
            "http://app.test/", new GuardedConnection(null, time, static (_, _, _) => new TaskCompletionSource<IPAddress[]>().Task));

        await time.RunUntilCompleteAsync(connecting.ContinueWith(_ => { }, TaskScheduler.Default), TimeSpan.FromMinutes(1),
            TimeSpan.FromMilliseconds(500), Cancelled);
        var failure = await Assert.ThrowsAsync<HttpRequestException>(() => connecting);

        Assert.Contains("did not resolve app.test within 15 s", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AcmeClient_ServerIsNotThere_NamesTheAddressAndNotTheUrlAsTheFault()
    {
        var port = FreePort.Tcp();
        using var client = new AcmeClient(new Uri($"https://127.0.0.1:{port}/directory"),
            new AcmeClientOptions { Retry = new() { MaxAttempts = 1 } });

        var failure = await Assert.ThrowsAsync<AcmeUnreachableException>(() => client.GetDirectoryAsync(Cancelled));

        Assert.Equal(AcmeUnreachableReason.NotConnected, failure.Reason);
        Assert.Contains($"no connection to 127.0.0.1:{port}: 127.0.0.1 refused the connection", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("Check the URL", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("before the whole response", failure.Message, StringComparison.Ordinal);
    }

    private static async Task PostAsync(string url, GuardedConnection guard)
    {
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = guard.ConnectAsync, UseProxy = false });
        using var body = new StringContent("{}");
        using var response = await client.PostAsync(new Uri(url), body, Cancelled);
    }

    private static async Task<string> GetAsync(string url, GuardedConnection guard)
    {
        using var client = new HttpClient(new SocketsHttpHandler { ConnectCallback = guard.ConnectAsync, UseProxy = false });
        return await client.GetStringAsync(new Uri(url), Cancelled);
    }
}
