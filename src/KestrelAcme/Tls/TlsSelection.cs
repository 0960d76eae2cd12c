using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Security.Authentication;

namespace KestrelAcme.Tls;

/// <summary>What was decided for a connection before its handshake. Stored as a feature of the connection.</summary>
/// <param name="Outcome">The decision.</param>
/// <param name="ServerName">The name that the client asked for.</param>
/// <param name="Context">
/// The context to serve, for <see cref="TlsOutcome.Certificate"/>, <see cref="TlsOutcome.Challenge"/>, and sometimes
/// <see cref="TlsOutcome.Nameless"/>.
/// </param>
/// <param name="Entry">The certificate of the context, unless that belongs to a placeholder or a challenge.</param>
internal record TlsSelection(
    TlsOutcome Outcome, string? ServerName = null, SslStreamCertificateContext? Context = null, CertificateEntry? Entry = null)
{
    /// <summary>Whether the handshake has been counted.</summary>
    public bool IsCounted { get; set; }

    /// <summary>
    /// Returns the selection for an endpoint. Without TLS 1.3, the client may be able to verify only another certificate.
    /// </summary>
    public virtual TlsSelection For(SslServerAuthenticationOptions endpoint) => this;
}

/// <summary>
/// A selection that depends on the TLS version, because the client offers several and accepts other keys below TLS 1.3. The endpoint
/// decides.
/// </summary>
/// <param name="Tls13">The selection for TLS 1.3.</param>
/// <param name="Below">The selection for earlier versions.</param>
internal sealed record VersionedSelection(TlsSelection Tls13, TlsSelection Below) : TlsSelection(Tls13)
{
    public override TlsSelection For(SslServerAuthenticationOptions endpoint) => TlsVersions.IncludeTls13(endpoint) ? Tls13 : Below;
}

/// <summary>A connection that may wait for a certificate on demand, with what is needed to select again afterwards.</summary>
/// <param name="Wanted">The normalized name or address.</param>
/// <param name="Address">The local address, for a client without a name.</param>
/// <param name="Accepted">The kinds of keys that the client accepts.</param>
/// <param name="Below">The kinds of keys that it accepts below TLS 1.3.</param>
internal sealed record AwaitedSelection(string Wanted, IPAddress? Address, KeyKinds Accepted, KeyKinds Below)
    : TlsSelection(TlsOutcome.Awaited, Address is null ? Wanted : null);

/// <summary>What a ClientHello leads to.</summary>
internal enum TlsOutcome
{
    /// <summary>The name is not managed: use the certificate that the app configured itself, or refuse the connection.</summary>
    Foreign,

    /// <summary>
    /// The client sent no server name, and no certificate can be inferred: use the certificate that the app configured itself, or the only
    /// managed certificate, or refuse the connection.
    /// </summary>
    Nameless,

    /// <summary>A managed certificate, or the placeholder for it.</summary>
    Certificate,

    /// <summary>The name is managed but has no certificate yet, and the placeholder is disabled.</summary>
    Missing,

    /// <summary>A tls-alpn-01 validation.</summary>
    Challenge,

    /// <summary>A tls-alpn-01 validation of a name that is not being validated.</summary>
    NoChallenge,

    /// <summary>The ClientHello cannot be read.</summary>
    Malformed,

    /// <summary>The connection waits for a certificate on demand. No handshake begins with it.</summary>
    Awaited,
}

/// <summary>Determines whether an endpoint speaks TLS 1.3, from its options and the limits of the operating system.</summary>
internal static class TlsVersions
{
    // A ClientHello of this process is subject to the same limits: OPENSSL_CONF, the system's crypto policy, Schannel's registry keys.
    private static readonly Lazy<bool> AllowedBySystem = new(static () =>
    {
        var sent = new ReadOnlySequence<byte>(SslContextPin.CaptureClientHello());
        return new ClientHelloReader().Read(sent, out var hello) != ClientHelloStatus.Complete || hello.OffersTls13;
    });

    /// <summary>Whether a client that offers TLS 1.3 gets it.</summary>
    public static bool IncludeTls13(SslServerAuthenticationOptions endpoint)
        => !ForbidsTls13(endpoint.CipherSuitesPolicy)
            && (endpoint.EnabledSslProtocols == SslProtocols.None
                ? AllowedBySystem.Value
                : endpoint.EnabledSslProtocols.HasFlag(SslProtocols.Tls13));

    // If a policy contains no TLS 1.3 suite, .NET disables TLS 1.3. Such policies exist only with OpenSSL.
    private static bool ForbidsTls13(CipherSuitesPolicy? policy)
    {
        if (policy is null || OperatingSystem.IsWindows())
        {
            return false;
        }

        foreach (var suite in policy.AllowedCipherSuites)
        {
            if ((ushort)suite >> 8 == 0x13)
            {
                return false;
            }
        }

        return true;
    }
}
