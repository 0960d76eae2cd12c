using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>What a TLS server answered: the chain that it sent, or its refusal.</summary>
internal sealed record TlsAnswer(IReadOnlyList<X509Certificate2> Chain, Exception? Refusal)
{
    public X509Certificate2 Leaf => Chain[0];

    public string SerialNumber => Leaf.SerialNumber;

    public bool IsSelfSigned => Leaf.Subject == Leaf.Issuer;

    public static async Task<TlsAnswer> GetAsync(IPEndPoint endpoint, string? serverName, CancellationToken cancellationToken)
    {
        var sent = new List<X509Certificate2>();
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(endpoint, cancellationToken);
        await using var stream = new SslStream(new NetworkStream(socket));
        try
        {
            await stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = serverName ?? "",
                    RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
                    {
                        sent.Add(X509CertificateLoader.LoadCertificate(certificate!.GetRawCertData()));
                        sent.AddRange(
                            chain!.ChainPolicy.ExtraStore.Where(c => !c.RawDataMemory.Span.SequenceEqual(sent[0].RawData))
                                .Select(c => X509CertificateLoader.LoadCertificate(c.RawData)));
                        return sent.Count > 0;
                    },
                },
                cancellationToken);
            return new TlsAnswer(sent, null);
        }
        catch (Exception exception) when (exception is AuthenticationException or IOException)
        {
            return new TlsAnswer(sent, exception);
        }
    }
}
