using System.Net.Security;

namespace KestrelAcme.Tls;

/// <summary>What was decided about a connection before its handshake starts; it lies on the connection as a feature.</summary>
/// <param name="Outcome">The decision.</param>
/// <param name="ServerName">The name that the client asked for.</param>
/// <param name="Entry">Whose context it is, unless it is a placeholder's or a challenge's.</param>
/// <param name="Context">What to serve, for <see cref="TlsOutcome.Certificate"/> and <see cref="TlsOutcome.Challenge"/>.</param>
internal sealed record TlsSelection(TlsOutcome Outcome, string? ServerName = null, SslStreamCertificateContext? Context = null, CertificateEntry? Entry = null);
