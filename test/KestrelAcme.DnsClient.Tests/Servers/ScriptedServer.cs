using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing;

namespace KestrelAcme.DnsClient.Tests.Servers;

/// <summary>A name server that sends exactly the octets that a test specifies, over UDP and TCP.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _udp;
    private readonly Socket _tcp;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <param name="udp">Returns the datagrams to respond with, in order.</param>
    /// <param name="tcp">Returns the octets to respond with, including the length prefix; the connection is then closed.</param>
    /// <param name="address">The loopback address to listen on.</param>
    public ScriptedServer(
        Func<byte[], IEnumerable<byte[]>>? udp = null, Func<byte[], byte[]>? tcp = null, string address = "127.0.0.1")
    {
        EndPoint = new IPEndPoint(IPAddress.Parse(address), FreePort.TcpAndUdp());
        _udp = new Socket(EndPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
        _tcp = new Socket(EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        _udp.Bind(EndPoint);
        _tcp.Bind(EndPoint);
        _tcp.Listen();
        _running = Task.WhenAll(ServeUdpAsync(udp ?? (_ => [])), ServeTcpAsync(tcp ?? (_ => [])));
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>The requests with their origins, in order.</summary>
    public ConcurrentQueue<(byte[] Request, IPEndPoint Client, bool OverTcp)> Requests { get; } = new();

    public static ScriptedServer Honest(Func<byte[], byte[]> answer) =>
        new(request => [answer(request)], request => Reply.Framed(answer(request)));

    /// <summary>Closes the UDP socket.</summary>
    public void CloseUdp() => _udp.Dispose();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _udp.Dispose();
        _tcp.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task ServeUdpAsync(Func<byte[], IEnumerable<byte[]>> answer)
    {
        byte[] buffer = new byte[ushort.MaxValue];
        while (true)
        {
            SocketReceiveFromResult received =
                await _udp.ReceiveFromAsync(buffer, SocketFlags.None, EndPoint, _stop.Token);
            byte[] request = buffer[..received.ReceivedBytes];
            Requests.Enqueue((request, (IPEndPoint)received.RemoteEndPoint, false));
            foreach (byte[] datagram in answer(request))
            {
                await _udp.SendToAsync(datagram, SocketFlags.None, received.RemoteEndPoint, _stop.Token);
            }
        }
    }

    private async Task ServeTcpAsync(Func<byte[], byte[]> answer)
    {
        while (true)
        {
            using Socket client = await _tcp.AcceptAsync(_stop.Token);
            using var stream = new NetworkStream(client);
            byte[] prefix = new byte[2];
            await stream.ReadExactlyAsync(prefix, _stop.Token);
            byte[] request = new byte[(prefix[0] << 8) | prefix[1]];
            await stream.ReadExactlyAsync(request, _stop.Token);
            Requests.Enqueue((request, (IPEndPoint)client.RemoteEndPoint!, true));
            await stream.WriteAsync(answer(request), _stop.Token);
            client.Shutdown(SocketShutdown.Send);
        }
    }
}
