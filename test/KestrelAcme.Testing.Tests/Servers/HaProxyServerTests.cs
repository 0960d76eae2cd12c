using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing.Servers;
using Xunit;

namespace KestrelAcme.Testing.Tests.Servers;

public sealed class HaProxyServerTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // The first of several instances may order before the others listen: they are no reason for a failed validation.
    [Fact]
    public async Task Connect_OneOfFiveServersListens_LeadsThere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var answering = AnswerAsync(listener, end.Token);
        var port = FreePort.Tcp();
        int[] servers =
        [
            FreePort.Tcp(), FreePort.Tcp(), ((IPEndPoint)listener.LocalEndpoint).Port, FreePort.Tcp(), FreePort.Tcp(),
        ];
        await using var balancer = await HaProxyServer.StartAsync(new Dictionary<int, int[]> { [port] = servers }, Cancellation);

        var answered = 0;
        for (var i = 0; i < 200; i++)
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, port), Cancellation);
            answered += await socket.ReceiveAsync(new byte[1], Cancellation);
        }

        Assert.Equal(200, answered);
        await end.CancelAsync();
        await answering;
    }

    private static async Task AnswerAsync(TcpListener listener, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            try
            {
                using var socket = await listener.AcceptSocketAsync(end);
                await socket.SendAsync(new byte[1], end);
            }
            catch (OperationCanceledException)
            {
                // The test has ended.
            }
            catch (SocketException)
            {
                // Whoever looks whether the balancer listens does not wait for an answer.
            }
        }
    }
}
