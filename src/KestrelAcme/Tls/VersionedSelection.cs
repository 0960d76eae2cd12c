using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>
/// A decision that depends on the version of TLS, for the client offers several, and verifies other keys below TLS 1.3: the endpoint has
/// the last word on it.
/// </summary>
/// <param name="Tls13">What is served by TLS 1.3.</param>
/// <param name="Below">What is served by an earlier version.</param>
internal sealed record VersionedSelection(TlsSelection Tls13, TlsSelection Below) : TlsSelection(Tls13)
{
    public override TlsSelection For(SslServerAuthenticationOptions endpoint) => TlsVersions.IncludeTls13(endpoint) ? Tls13 : Below;
}
