using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

/// <summary>A TLS server that answers with one certificate, and notes the names it was asked for.</summary>
internal sealed class ChallengeServerTls : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly SslApplicationProtocol _protocol;
    private readonly Func<X509Certificate2> _certificate;
    private readonly Task _loop;

    public ChallengeServerTls(Func<X509Certificate2> certificate, string protocol = "acme-tls/1")
    {
        _certificate = certificate;
        _protocol = new SslApplicationProtocol(protocol);
        _listener.Start();
        _loop = LoopAsync();
    }

    public IPEndPoint Endpoint => (IPEndPoint)_listener.LocalEndpoint;

    public ConcurrentQueue<string?> Names { get; } = new();

    public static X509Certificate2 Certificate(IReadOnlyList<string> names, byte[] digest, bool critical = true)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=challenge", key, HashAlgorithmName.SHA256);
        var san = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                san.AddIpAddress(address);
            }
            else
            {
                san.AddDnsName(name);
            }
        }

        request.CertificateExtensions.Add(san.Build());
        request.CertificateExtensions.Add(new X509Extension("1.3.6.1.5.5.7.1.31", [0x04, (byte)digest.Length, .. digest], critical));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _loop;
    }

    private async Task LoopAsync()
    {
        try
        {
            while (true)
            {
                using var socket = await _listener.AcceptSocketAsync();
                await AnswerAsync(socket);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        try
        {
            await using var tls = new SslStream(new NetworkStream(socket));
            await tls.AuthenticateAsServerAsync(
                (_, hello, _, _) =>
                {
                    Names.Enqueue(hello.ServerName);
                    return ValueTask.FromResult(new SslServerAuthenticationOptions
                    {
                        ServerCertificate = _certificate(),
                        ApplicationProtocols = [_protocol],
                    });
                },
                state: null);
            await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false);
        }
        catch (Exception e) when (e is IOException or AuthenticationException)
        {
            // The authority went away, as it may.
        }
    }
}
