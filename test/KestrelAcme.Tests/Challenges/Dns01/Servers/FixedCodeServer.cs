using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Challenges.Dns01.Servers;

/// <summary>A name server that responds to every query and update, over UDP and TCP, with one code and no records.</summary>
internal sealed class FixedCodeServer : IDisposable
{
    private readonly Socket _udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
    private readonly Socket _tcp = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte _code;
    private readonly bool _authoritative;

    public FixedCodeServer(byte code, bool authoritative)
    {
        (_code, _authoritative) = (code, authoritative);
        EndPoint = new IPEndPoint(IPAddress.Loopback, FreePort.TcpAndUdp());
        _udp.Bind(EndPoint);
        _tcp.Bind(EndPoint);
        _tcp.Listen();
        _ = UntilDisposedAsync(AnswerDatagramAsync);
        _ = UntilDisposedAsync(AnswerConnectionAsync);
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>The number of queries received.</summary>
    public int Questions { get; private set; }

    /// <summary>Whether it ignores datagrams and closes connections.</summary>
    public bool IsSilent { get; set; }

    /// <summary>The number of further datagrams to drop.</summary>
    public int Lost { get; set; }

    /// <summary>A task that responses to datagrams wait for.</summary>
    public Task Held { get; set; } = Task.CompletedTask;

    public void Dispose()
    {
        _udp.Dispose();
        _tcp.Dispose();
    }

    private static async Task UntilDisposedAsync(Func<Task> answer)
    {
        try
        {
            while (true)
            {
                await answer();
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException or IOException)
        {
            // The test has ended.
        }
    }

    private async Task AnswerDatagramAsync()
    {
        var buffer = new byte[4096];
        var received = await _udp.ReceiveFromAsync(buffer, EndPoint);
        var answer = Answer(buffer[..received.ReceivedBytes]);
        if (!IsSilent && --Lost < 0)
        {
            await Held;
            await _udp.SendToAsync(answer, received.RemoteEndPoint);
        }
    }

    private async Task AnswerConnectionAsync()
    {
        using var stream = new NetworkStream(await _tcp.AcceptAsync(), ownsSocket: true);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length);
        var message = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(message);
        var answer = Answer(message);
        if (!IsSilent)
        {
            await stream.WriteAsync((byte[])[.. length, .. answer]);
        }
    }

    // The received message with the header of a response. What follows the question is kept.
    private byte[] Answer(byte[] message)
    {
        const byte OpCodeAndRecursionDesired = 0x79;
        Questions++;
        message[2] = (byte)(0x80 | (_authoritative ? 0x04 : 0) | (message[2] & OpCodeAndRecursionDesired));
        message[3] = (byte)(0x80 | _code);
        return message;
    }
}
