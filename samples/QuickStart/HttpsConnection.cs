using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace QuickStart;

/// <summary>A TLS connection to this app, for several requests.</summary>
internal sealed class HttpsConnection : IAsyncDisposable
{
    private readonly SslStream _stream;
    private readonly string _host;

    private HttpsConnection(SslStream stream, string host, string serialNumber)
    {
        _stream = stream;
        _host = host;
        SerialNumber = serialNumber;
    }

    /// <summary>The serial number of the certificate that the server sent for this connection.</summary>
    public string SerialNumber { get; }

    public static async Task<HttpsConnection> OpenAsync(string host, int port, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
        string? serial = null;
        var stream = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await stream.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = host,

                // The server is this process, so the certificate needs no validation.
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    serial = (certificate as X509Certificate2)?.SerialNumber ?? certificate?.GetSerialNumberString();
                    return certificate is not null;
                },
            },
            cancellationToken);
        return new HttpsConnection(stream, host, serial ?? "none");
    }

    /// <returns>The status code.</returns>
    public async Task<int> GetAsync(string path, CancellationToken cancellationToken)
    {
        await _stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {_host}\r\n\r\n"), cancellationToken);
        var buffer = new byte[4096];
        var read = 0;
        while (read < buffer.Length)
        {
            var count = await _stream.ReadAsync(buffer.AsMemory(read), cancellationToken);
            read += count;
            if (count == 0 || IsComplete(Encoding.ASCII.GetString(buffer, 0, read)))
            {
                break;
            }
        }

        var response = Encoding.ASCII.GetString(buffer, 0, read);
        return response.Length > 12 ? int.Parse(response.AsSpan(9, 3), CultureInfo.InvariantCulture) : 0;
    }

    public ValueTask DisposeAsync() => _stream.DisposeAsync();

    // Kestrel responds with chunks here. The last chunk is empty.
    private static bool IsComplete(string response)
        => response.EndsWith("\r\n0\r\n\r\n", StringComparison.Ordinal)
            || (response.Contains("Content-Length", StringComparison.OrdinalIgnoreCase)
                && response.EndsWith('\n')
                && !response.EndsWith("\r\n\r\n", StringComparison.Ordinal));
}
