using System.Formats.Asn1;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Validates tls-alpn-01 (RFC 8737; for addresses, RFC 8738 section 6).</summary>
internal sealed class TlsAlpn01Validator(ValidationAddresses addresses) : IChallengeValidator
{
    private const string AcmeIdentifier = "1.3.6.1.5.5.7.1.31";
    private const string AlternativeNames = "2.5.29.17";
    private static readonly SslApplicationProtocol AcmeTls = new("acme-tls/1");

    public string Type => ChallengeTypes.TlsAlpn01;

    public async Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        if (addresses.Find(target.Identifier.Value) is not { Tls: var endpoint })
        {
            return Problem.Of("dns", 400, new UnresolvedNameException(target.Identifier.Value).Message);
        }

        try
        {
            return await HandshakeAsync(target, endpoint, cancellationToken);
        }
        catch (AuthenticationException e)
        {
            return Problem.Of("tls", 400, $"The TLS handshake with {endpoint} failed: {e.InnerException?.Message ?? e.Message}");
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return Problem.Of("connection", 400, $"Connecting to {endpoint} failed: {e.Message}");
        }
    }

    private static async Task<Problem?> HandshakeAsync(
        ChallengeTarget target, IPEndPoint endpoint, CancellationToken cancellationToken)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(endpoint, cancellationToken);
        using var tls = new SslStream(new NetworkStream(socket, ownsSocket: false));
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = ServerNameOf(target.Identifier),
                ApplicationProtocols = [AcmeTls],
#pragma warning disable CA5359 // The certificate is self-signed by design; its content is checked below.
                RemoteCertificateValidationCallback = (_, _, _, _) => true,
#pragma warning restore CA5359
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            },
            cancellationToken);
        if (tls.NegotiatedApplicationProtocol != AcmeTls)
        {
            return Problem.Unauthorized("The server did not choose the protocol acme-tls/1.");
        }

        return tls.RemoteCertificate is X509Certificate2 certificate
            ? Check(certificate, target)
            : Problem.Unauthorized("The server sent no certificate.");
    }

    private static string ServerNameOf(Identifier identifier) => identifier.Type == Identifier.Ip
        ? ReverseName.Of(IPAddress.Parse(identifier.Value))
        : identifier.Value;

    internal static Problem? Check(X509Certificate2 certificate, ChallengeTarget target)
    {
        var names = certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == AlternativeNames);
        var proof = certificate.Extensions.FirstOrDefault(e => e.Oid?.Value == AcmeIdentifier);
        try
        {
            if (names is null || SubjectAlternativeNames.Read(names.RawData) is not [var only] || only != target.Identifier)
            {
                return Problem.Unauthorized($"The certificate is not for '{target.Identifier}' alone.");
            }

            if (proof is not { Critical: true })
            {
                return Problem.Unauthorized("The certificate has no critical acmeIdentifier extension.");
            }

            var digest = AsnDecoder.ReadOctetString(proof.RawData, AsnEncodingRules.DER, out var read);
            return read == proof.RawData.Length && CryptographicOperations.FixedTimeEquals(digest, target.KeyAuthorizationDigest())
                ? null
                : Problem.Unauthorized("The acmeIdentifier extension does not hold the digest of the key authorization.");
        }
        catch (Exception e) when (e is CryptographicException or AsnContentException)
        {
            return Problem.Unauthorized("The certificate's extensions cannot be read: " + e.Message);
        }
    }
}
