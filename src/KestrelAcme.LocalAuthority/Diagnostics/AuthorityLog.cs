using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.LocalAuthority.Diagnostics;

/// <summary>The log messages of the local CA: event IDs 9000 to 9099.</summary>
internal sealed partial class AuthorityLog(ILogger logger)
{
    [LoggerMessage(9000, LogLevel.Information,
        "The local ACME authority is listening at {DirectoryUrl}. Its root certificate is in {RootPath}.", EventName = "AuthorityStarted")]
    public partial void Started(Quoted directoryUrl, Quoted rootPath);

    public void RequestFailed(Exception exception, Quoted method, Quoted path) =>
        RequestFailedQuoted(QuotedException.Of(exception), method, path);

    [LoggerMessage(9001, LogLevel.Error, "The local ACME authority failed to process {Method} {Path}.",
        EventName = "AuthorityRequestFailed")]
    private partial void RequestFailedQuoted(Exception exception, Quoted method, Quoted path);

    [LoggerMessage(9002, LogLevel.Debug, "Responded to {Method} {Path} with {Status} {Problem}.", EventName = "AuthorityRequest")]
    public partial void Answered(Quoted method, Quoted path, int status, Quoted problem);

    [LoggerMessage(9003, LogLevel.Warning,
        "The root {RootPath} of the local ACME authority may issue for {Permitted}. "
        + "PermittedNames says otherwise: the root was made before. Delete its folder to get a new root, and trust that one.",
        EventName = "AuthorityRootConstraintsDiffer")]
    public partial void OtherConstraints(Quoted rootPath, Quoted permitted);

    [LoggerMessage(9010, LogLevel.Information, "The local authority created account {AccountId}.",
        EventName = "AuthorityAccountCreated")]
    public partial void AccountCreated(Quoted accountId);

    [LoggerMessage(9011, LogLevel.Information, "The local authority created order {OrderId} for {Names}.",
        EventName = "AuthorityOrderCreated")]
    public partial void OrderCreated(Quoted orderId, Quoted names);

    [LoggerMessage(9012, LogLevel.Information, "The local authority validated {Identifier} with {Type}.",
        EventName = "AuthorityValidated")]
    public partial void Validated(Quoted identifier, Quoted type);

    [LoggerMessage(9013, LogLevel.Warning, "The local authority could not validate {Identifier} with {Type}: {Detail}",
        EventName = "AuthorityValidationFailed")]
    public partial void ValidationFailed(Quoted identifier, Quoted type, Quoted detail);

    [LoggerMessage(9014, LogLevel.Information,
        "The local authority issued certificate {SerialNumber} for {Names}, valid until {NotAfter:u}.",
        EventName = "AuthorityCertificateIssued")]
    public partial void CertificateIssued(Quoted serialNumber, Quoted names, DateTime notAfter);

    [LoggerMessage(9015, LogLevel.Information, "The local authority revoked certificate {SerialNumber}: {Reason}.",
        EventName = "AuthorityCertificateRevoked")]
    public partial void CertificateRevoked(Quoted serialNumber, X509RevocationReason reason);
}
