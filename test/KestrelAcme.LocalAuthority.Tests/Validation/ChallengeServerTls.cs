using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.LocalAuthority.Tests.Validation;

/// <summary>A TLS server that presents one certificate, and records the requested names.</summary>
internal sealed class ChallengeServerTls : IAsyncDisposable
{
    private readonly LoopbackListener _listener;
    private readonly SslApplicationProtocol _protocol;
    private readonly Func<X509Certificate2> _certificate;

    public ChallengeServerTls(Func<X509Certificate2> certificate, string protocol = "acme-tls/1")
    {
        _certificate = certificate;
        _protocol = new SslApplicationProtocol(protocol);
        _listener = new LoopbackListener(new IPEndPoint(IPAddress.Loopback, 0), AnswerAsync);
    }

    public IPEndPoint Endpoint => _listener.Endpoint;

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

    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    private async Task AnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        await using var tls = new SslStream(stream);
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
            state: null,
            cancellationToken);
        await tls.ReadAtLeastAsync(new byte[1], 1, throwOnEndOfStream: false, cancellationToken);
    }
}
