using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>What was decided about a connection before its handshake starts; it lies on the connection as a feature.</summary>
/// <param name="Outcome">The decision.</param>
/// <param name="ServerName">The name that the client asked for.</param>
/// <param name="Entry">Whose context it is, unless it is a placeholder's or a challenge's.</param>
/// <param name="Context">
/// What to serve, for <see cref="TlsOutcome.Certificate"/>, <see cref="TlsOutcome.Challenge"/>, and perhaps <see
/// cref="TlsOutcome.Nameless"/>.
/// </param>
internal record TlsSelection(
    TlsOutcome Outcome, string? ServerName = null, SslStreamCertificateContext? Context = null, CertificateEntry? Entry = null)
{
    /// <summary>
    /// What to serve on an endpoint: the client may be able to verify another certificate where TLS 1.3 is not to be had.
    /// </summary>
    public virtual TlsSelection For(SslServerAuthenticationOptions endpoint) => this;
}
