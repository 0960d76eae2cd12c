using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Testing.Servers;

/// <summary>Relays DNS over UDP and TCP to a server, from an address that the server cannot listen on.</summary>
internal sealed class DnsRelay(IPEndPoint address, IPEndPoint target) : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _loops = [];
    private Socket? _udp;
    private TcpListener? _tcp;
    private int _queries;

    public IPEndPoint Address => address;

    /// <summary>How many queries came: a TCP connection counts as one.</summary>
    public int Queries => Volatile.Read(ref _queries);

    /// <summary>Whether it drops all queries.</summary>
    public bool IsSilent { get; set; }

    public void Start()
    {
        try
        {
            _udp = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            _udp.Bind(address);
            _tcp = new TcpListener(address);
            _tcp.Start();
        }
        catch (SocketException exception)
        {
            throw new ServerStartException($"{address} cannot be bound: {exception.Message}");
        }

        _loops.Add(RelayUdpAsync(_udp));
        _loops.Add(RelayTcpAsync(_tcp));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_loops).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _udp?.Dispose();
        _tcp?.Dispose();
        _stop.Dispose();
    }

    private async Task RelayUdpAsync(Socket listener)
    {
        var buffer = new byte[65_535];
        while (true)
        {
            var received = await listener.ReceiveFromAsync(buffer, address, _stop.Token);
            Interlocked.Increment(ref _queries);
            if (!IsSilent)
            {
                _ = AnswerAsync(listener, buffer[..received.ReceivedBytes], received.RemoteEndPoint);
            }
        }
    }

    private async Task AnswerAsync(Socket listener, byte[] query, EndPoint client)
    {
        try
        {
            using var upstream = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            await upstream.ConnectAsync(target, _stop.Token);
            await upstream.SendAsync(query, _stop.Token);
            var answer = new byte[65_535];
            var length = await upstream.ReceiveAsync(answer, _stop.Token).AsTask().WaitAsync(TimeSpan.FromSeconds(10), TimeProvider.System);
            await listener.SendToAsync(answer.AsMemory(0, length), client, _stop.Token);
        }
        catch (Exception exception) when (
            exception is SocketException or OperationCanceledException or TimeoutException or ObjectDisposedException)
        {
            // UDP is unreliable: the client tries again.
        }
    }

    private async Task RelayTcpAsync(TcpListener listener)
    {
        while (true)
        {
            var client = await listener.AcceptTcpClientAsync(_stop.Token);
            Interlocked.Increment(ref _queries);
            _ = PassAsync(client);
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        try
        {
            using var accepted = client;
            using var upstream = new TcpClient();
            await upstream.ConnectAsync(target, _stop.Token);
            if (IsSilent)
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, _stop.Token);
            }

            // Whichever side closes first closes both.
            await Task.WhenAny(
                accepted.GetStream().CopyToAsync(upstream.GetStream(), _stop.Token),
                upstream.GetStream().CopyToAsync(accepted.GetStream(), _stop.Token));
        }
        catch (Exception exception) when (exception is SocketException or IOException or OperationCanceledException)
        {
            // The connection is closed, which the client notices.
        }
    }
}
