using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Tests.Challenges.Dns01.Servers;

/// <summary>A name server that answers every question with one code and no records, or not at all.</summary>
internal sealed class FixedCodeServer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly byte? _code;
    private readonly bool _authoritative;

    public FixedCodeServer(byte? code, bool authoritative)
    {
        (_code, _authoritative) = (code, authoritative);
        _socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _ = RunAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)_socket.LocalEndPoint!;

    /// <summary>How many questions came.</summary>
    public int Questions { get; private set; }

    public void Dispose() => _socket.Dispose();

    private async Task RunAsync()
    {
        var buffer = new byte[4096];
        while (true)
        {
            try
            {
                var received = await _socket.ReceiveFromAsync(buffer, EndPoint);
                Questions++;
                if (_code is { } code)
                {
                    // The question as it came, with its header turned into an answer's; the OPT record stays behind it.
                    var reply = buffer[..received.ReceivedBytes];
                    reply[2] = (byte)(0x80 | (_authoritative ? 0x04 : 0) | (reply[2] & 0x01));
                    reply[3] = (byte)(0x80 | code);
                    await _socket.SendToAsync(reply, received.RemoteEndPoint);
                }
            }
            catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }
}
