using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tests.Tls;

/// <summary>The result of a client's handshake: every certificate the server sent, and what was negotiated.</summary>
internal sealed record TlsProbe(
    X509Certificate2 Leaf, IReadOnlyList<X509Certificate2> Sent, SslApplicationProtocol Protocol, SslProtocols Version)
{
    /// <summary>The leaf's first name.</summary>
    public string Name => Leaf.GetNameInfo(X509NameType.SimpleName, false);

    public static Task<TlsProbe> ConnectAsync(
        EndPoint endPoint,
        string serverName,
        CancellationToken cancellationToken,
        Action<SslClientAuthenticationOptions>? configure = null) =>
        ConnectAsync(endPoint, serverName, (_, _) => Task.CompletedTask, cancellationToken, configure);

    public static async Task<TlsProbe> ConnectAsync(
        EndPoint endPoint,
        string serverName,
        Func<SslStream, TlsProbe, Task> use,
        CancellationToken cancellationToken,
        Action<SslClientAuthenticationOptions>? configure = null)
    {
        using var socket = endPoint is UnixDomainSocketEndPoint
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endPoint, cancellationToken);
        await using var stream = new SslStream(new NetworkStream(socket, ownsSocket: false));
        X509Certificate2? leaf = null;
        List<X509Certificate2> sent = [];
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = serverName,
            RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
            {
                leaf = X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData());
                sent.AddRange(
                    chain!.ChainPolicy.ExtraStore.Where(c => c.Thumbprint != leaf.Thumbprint).Select(
                        c => X509CertificateLoader.LoadCertificate(c.RawData)));
                return true;
            },
        };
        configure?.Invoke(options);
        await stream.AuthenticateAsClientAsync(options, cancellationToken);
        var probe = new TlsProbe(leaf!, sent, stream.NegotiatedApplicationProtocol, stream.SslProtocol);
        await use(stream, probe);
        return probe;
    }
}
