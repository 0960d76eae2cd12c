using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;

namespace KestrelAcme.Tests.Tls;

/// <summary>Captures the first message of real clients, and closes the connection.</summary>
internal sealed class ClientHelloCapture : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public ClientHelloCapture() => _listener.Start();

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Waits for one client and returns its first record.</summary>
    public async Task<byte[]> NextAsync(CancellationToken cancellationToken)
    {
        using var client = await _listener.AcceptTcpClientAsync(cancellationToken);
        var stream = client.GetStream();
        var header = new byte[5];
        await stream.ReadExactlyAsync(header, cancellationToken);
        var body = new byte[(header[3] << 8) | header[4]];
        await stream.ReadExactlyAsync(body, cancellationToken);
        // handshake_failure, so that the client ends the connection.
        await stream.WriteAsync(new byte[] { 21, 3, 3, 0, 2, 2, 40 }, cancellationToken);
        return [.. header, .. body];
    }

    /// <summary>The name that .NET's own reader finds in a ClientHello.</summary>
    public static async Task<string> ReadByDotNetAsync(byte[] hello, CancellationToken cancellationToken)
    {
        var found = "";
        await using var server = new SslStream(new ReplayStream(hello));
        await Xunit.Assert.ThrowsAnyAsync<Exception>(() => server.AuthenticateAsServerAsync(
            (_, info, _, _) =>
            {
                found = info.ServerName;
                throw new AuthenticationException("Seen.");
            },
            null, cancellationToken));
        return found;
    }

    public void Dispose() => _listener.Dispose();

    /// <summary>A stream that returns its content and discards what is written.</summary>
    private sealed class ReplayStream(byte[] content) : MemoryStream(content, writable: false)
    {
        public override bool CanWrite => true;

        public override void Write(byte[] buffer, int offset, int count)
        {
        }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => default;

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
