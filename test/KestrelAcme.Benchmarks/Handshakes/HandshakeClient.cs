using System.Net;
using System.Net.Security;
using System.Net.Sockets;

namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>Makes handshakes on command, in a process of its own: what the server's process spends is the server's alone.</summary>
/// <remarks>A command is "prefix port count names seed resume"; the answer is the number of handshakes that were resumed.</remarks>
internal static class HandshakeClient
{
    /// <summary>Stands for a server without TLS: what a connection costs besides.</summary>
    public const string PlainPrefix = "tcp";

    public static async Task<int> RunAsync()
    {
        while (await Console.In.ReadLineAsync() is { } line)
        {
            var words = line.Split(' ');
            var numbers = words.Skip(1).Select(int.Parse).ToArray();
            Console.WriteLine(await RunAsync(words[0], numbers[0], numbers[1], numbers[2], numbers[3], numbers[4] != 0));
        }

        return 0;
    }

    private static async Task<int> RunAsync(string prefix, int port, int count, int names, int seed, bool resume)
    {
        var random = new Random(seed);
        var resumed = 0;
        for (var i = 0; i < count; i++)
        {
            // A negative seed asks for every name in turn.
            var name = seed < 0 ? i % names : random.Next(names);
            resumed += prefix == PlainPrefix
                ? await ConnectPlainAsync(port)
                : await ConnectAsync(port, $"{prefix}{name}.test", resume) ? 1 : 0;
        }

        return resumed;
    }

    private static async Task<int> ConnectPlainAsync(int port)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        socket.Shutdown(SocketShutdown.Send);
        return await socket.ReceiveAsync(new byte[16]);
    }

    public static async Task<bool> ConnectAsync(int port, string name, bool resume)
    {
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, port);
        var counting = new CountingStream(new NetworkStream(socket));
        await using var ssl = new SslStream(counting);
        await ssl.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = name,
            AllowTlsResume = resume,
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        });
        var received = counting.Received;
        await ssl.ShutdownAsync();
        // Reading to the end takes in the session tickets.
        while (await ssl.ReadAsync(new byte[256]) > 0)
        {
        }

        // A resumed handshake carries no certificates: they are more than half a kilobyte.
        return received < 700;
    }
}
