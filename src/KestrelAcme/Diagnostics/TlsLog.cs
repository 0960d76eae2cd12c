using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// The log messages of TLS. What a client sends is logged at Debug at most, except one warning an hour about clients without a server name.
/// </summary>
internal static partial class TlsLog
{
    [LoggerMessage(1300, LogLevel.Information, "Published {Published} stored certificates; rejected {Refused}.")]
    public static partial void StoredCertificatesPublished(this ILogger logger, int published, int refused);

    [LoggerMessage(1301, LogLevel.Debug, "Certificate {CertificateId} is now served. It is valid until {NotAfter}.")]
    public static partial void CertificatePublished(this ILogger logger, Quoted certificateId, DateTimeOffset notAfter);

    [LoggerMessage(1302, LogLevel.Warning,
        "{ServerName} has no certificate yet: a self-signed placeholder is served until it is issued. This is logged once per name.")]
    public static partial void PlaceholderServed(this ILogger logger, Quoted serverName);

    [LoggerMessage(1303, LogLevel.Error,
        "The published certificate {CertificateId} cannot be used: {Reason} A new certificate must be ordered.")]
    public static partial void CertificateUnusable(this ILogger logger, Quoted certificateId, Quoted reason);

    [LoggerMessage(1304, LogLevel.Debug, "A client did not send a complete ClientHello within {Timeout}. The connection is closed.")]
    public static partial void ClientHelloTimedOut(this ILogger logger, TimeSpan timeout);

    [LoggerMessage(1305, LogLevel.Debug, "Refused a handshake ({Outcome}) for the server name {ServerName}.")]
    public static partial void HandshakeRefused(this ILogger logger, Quoted outcome, Quoted serverName);

    [LoggerMessage(1306, LogLevel.Debug, "Responded to a tls-alpn-01 validation of {ServerName}.")]
    public static partial void ChallengeAnswered(this ILogger logger, Quoted serverName);

    [LoggerMessage(1307, LogLevel.Debug, "A tls-alpn-01 validation of {ServerName} ended early: {Reason}")]
    public static partial void ChallengeBrokenOff(this ILogger logger, Quoted serverName, Quoted reason);

    [LoggerMessage(1308, LogLevel.Warning,
        "The app's ConfigureEndpointDefaults replaces KestrelAcme's on an HTTPS endpoint that is defined in code. "
        + "The endpoint works, but without intermediate certificates and without tls-alpn-01: call listenOptions.UseAcmeHttps() on it.")]
    public static partial void EndpointWithoutPeek(this ILogger logger);

    [LoggerMessage(1309, LogLevel.Debug, "A connection ended before its ClientHello was read: {Reason}")]
    public static partial void ClientHelloBroken(this ILogger logger, Quoted reason);

    [LoggerMessage(1310, LogLevel.Debug, "Released a pinned session context: {Reason}")]
    public static partial void PinEnded(this ILogger logger, Quoted reason);

    [LoggerMessage(1311, LogLevel.Warning,
        "{CertificateId}: the CA issued a chain of {Wanted} certificates, but .NET sends a chain of {Sent}, because it stops at a root "
        + "that this machine trusts. Clients that do not trust that root reject the connection.")]
    public static partial void ChainBuiltAnew(this ILogger logger, Quoted certificateId, int wanted, int sent);

    [LoggerMessage(1312, LogLevel.Debug, "The app's own certificate {Subject} cannot be prepared for handshakes: {Reason}")]
    public static partial void AppCertificateUnusable(this ILogger logger, Quoted subject, Quoted reason);

    [LoggerMessage(1313, LogLevel.Warning,
        "Refused a connection from {RemoteEndPoint}: the client sends no server name (SNI), and several certificates fit. "
        + "To serve such clients, set AcmeHttps:DefaultServerName to the name whose certificate they should get. "
        + "{Count} such connections were refused since the last such message. This is logged at most once an hour.")]
    public static partial void NamelessClientRefused(this ILogger logger, Quoted remoteEndPoint, int count);

    [LoggerMessage(1314, LogLevel.Warning,
        "Refused a connection from {RemoteEndPoint}: the client sends no server name (SNI), "
        + "and AcmeHttps:DefaultServerName is '{DefaultServerName}', which is not a configured name. Set it to a configured name. "
        + "{Count} such connections were refused since the last such message. This is logged at most once an hour.")]
    public static partial void NamelessClientRefusedDespiteDefault(
        this ILogger logger, Quoted remoteEndPoint, Quoted defaultServerName, int count);

    [LoggerMessage(1315, LogLevel.Warning,
        "Certificate {CertificateId} is not valid before {NotBefore:u}, but this machine's clock says {Now:u}: "
        + "clients reject it until then. It is served only if no valid certificate covers the name. "
        + "Check this machine's clock. If it is correct, the CA issued the certificate with a start in the future.")]
    public static partial void CertificateNotYetValid(
        this ILogger logger, Quoted certificateId, DateTimeOffset notBefore, DateTimeOffset now);
}
