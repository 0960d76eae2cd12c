using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>
/// What TLS tells the operator. A stranger's bytes are never worth more than Debug, but for one line an hour about clients without a
/// server name.
/// </summary>
internal static partial class TlsLog
{
    [LoggerMessage(1300, LogLevel.Information, "Published {Published} stored certificates; refused {Refused}.")]
    public static partial void StoredCertificatesPublished(this ILogger logger, int published, int refused);

    [LoggerMessage(1301, LogLevel.Debug, "Certificate {CertificateId} is now served; it is valid until {NotAfter}.")]
    public static partial void CertificatePublished(this ILogger logger, Quoted certificateId, DateTimeOffset notAfter);

    [LoggerMessage(1302, LogLevel.Warning, "{ServerName} has no certificate yet: a self-signed placeholder is served until it is issued. This is said once per name.")]
    public static partial void PlaceholderServed(this ILogger logger, Quoted serverName);

    [LoggerMessage(1303, LogLevel.Error, "The published certificate {CertificateId} cannot be used: {Reason} It must be ordered anew.")]
    public static partial void CertificateUnusable(this ILogger logger, Quoted certificateId, Quoted reason);

    [LoggerMessage(1304, LogLevel.Debug, "A client sent no whole ClientHello within {Timeout}; its connection is closed.")]
    public static partial void ClientHelloTimedOut(this ILogger logger, TimeSpan timeout);

    [LoggerMessage(1305, LogLevel.Debug, "A handshake was refused ({Outcome}) for the server name {ServerName}.")]
    public static partial void HandshakeRefused(this ILogger logger, Quoted outcome, Quoted serverName);

    [LoggerMessage(1306, LogLevel.Debug, "Answered a tls-alpn-01 validation of {ServerName}.")]
    public static partial void ChallengeAnswered(this ILogger logger, Quoted serverName);

    [LoggerMessage(1307, LogLevel.Debug, "A tls-alpn-01 validation of {ServerName} was broken off: {Reason}")]
    public static partial void ChallengeBrokenOff(this ILogger logger, Quoted serverName, Quoted reason);

    [LoggerMessage(1308, LogLevel.Warning, "The app's ConfigureEndpointDefaults hides ours from an HTTPS endpoint in code. It is served, but without intermediate certificates and without tls-alpn-01: call listenOptions.UseAcmeHttps() on it.")]
    public static partial void EndpointWithoutPeek(this ILogger logger);

    [LoggerMessage(1309, LogLevel.Debug, "A connection ended before its ClientHello was read: {Reason}")]
    public static partial void ClientHelloBroken(this ILogger logger, Quoted reason);

    [LoggerMessage(1310, LogLevel.Debug, "A pinned session context was let go: {Reason}")]
    public static partial void PinEnded(this ILogger logger, Quoted reason);

    [LoggerMessage(1311, LogLevel.Warning, "{CertificateId}: the authority sent a chain of {Wanted} certificates, and .NET sends another one, of {Sent}: it stops at a root that this machine trusts. Visitors that do not trust that root are refused.")]
    public static partial void ChainBuiltAnew(this ILogger logger, Quoted certificateId, int wanted, int sent);

    [LoggerMessage(1312, LogLevel.Debug, "The app's own certificate {Subject} cannot be prepared for handshakes: {Reason}")]
    public static partial void AppCertificateUnusable(this ILogger logger, Quoted subject, Quoted reason);

    [LoggerMessage(1313, LogLevel.Warning,
        "A connection from {RemoteEndPoint} was refused: the client sends no server name (SNI), "
        + "and there is more than one certificate that it could mean. "
        + "If such clients are to be served, set AcmeHttps:DefaultServerName to the name whose certificate they get. "
        + "{Count} such connections were refused since this was last logged, which happens at most once an hour.")]
    public static partial void NamelessClientRefused(this ILogger logger, Quoted remoteEndPoint, int count);

    [LoggerMessage(1314, LogLevel.Warning,
        "A connection from {RemoteEndPoint} was refused: the client sends no server name (SNI), "
        + "and AcmeHttps:DefaultServerName is '{DefaultServerName}', "
        + "which is not among the configured names. Set it to one of them. "
        + "{Count} such connections were refused since this was last logged, which happens at most once an hour.")]
    public static partial void NamelessClientRefusedDespiteDefault(
        this ILogger logger, Quoted remoteEndPoint, Quoted defaultServerName, int count);

    [LoggerMessage(1315, LogLevel.Warning,
        "Certificate {CertificateId} is valid only from {NotBefore:u}, and this machine's clock says {Now:u}: "
        + "clients refuse it until then. It is served only if no valid certificate covers the name. "
        + "Check this machine's clock; if it is right, the CA issued the certificate too early.")]
    public static partial void CertificateNotYetValid(this ILogger logger, Quoted certificateId, DateTimeOffset notBefore, DateTimeOffset now);
}
