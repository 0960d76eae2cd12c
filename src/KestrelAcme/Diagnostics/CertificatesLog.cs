using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages of the certificate engine: orders, renewals and revocation.</summary>
internal static partial class CertificatesLog
{
    [LoggerMessage(1100, LogLevel.Information, "{Certificate}: ordering from {DirectoryUrl}.")]
    public static partial void OrderStarted(this ILogger logger, Quoted certificate, Quoted directoryUrl);

    [LoggerMessage(1101, LogLevel.Information, "{Certificate}: the order {OrderUrl} was placed.")]
    public static partial void OrderPlaced(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(1102, LogLevel.Information, "{Certificate}: resuming the order {OrderUrl} of an earlier run.")]
    public static partial void OrderResumed(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(
        1103, LogLevel.Warning,
        "{Certificate}: the order {OrderUrl} of an earlier run cannot be finished ({Reason}). Placing a new one.")]
    public static partial void OrderDropped(this ILogger logger, Quoted certificate, Quoted orderUrl, Quoted reason);

    [LoggerMessage(1104, LogLevel.Information, "{Name}: already authorized; no challenge is needed.")]
    public static partial void AuthorizationAlreadyValid(this ILogger logger, Quoted name);

    [LoggerMessage(1105, LogLevel.Information, "{Name}: the response to the {ChallengeType} challenge is in place.")]
    public static partial void ChallengePrepared(this ILogger logger, Quoted challengeType, Quoted name);

    [LoggerMessage(1106, LogLevel.Information, "{Name}: submitted the {ChallengeType} challenge for validation.")]
    public static partial void ChallengePosted(this ILogger logger, Quoted challengeType, Quoted name);

    [LoggerMessage(1107, LogLevel.Information, "{Name}: the CA validated the name.")]
    public static partial void AuthorizationValid(this ILogger logger, Quoted name);

    [LoggerMessage(1108, LogLevel.Warning, "{Name}: the response to the {ChallengeType} challenge could not be removed: {Reason}")]
    public static partial void ChallengeNotCleaned(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(
        1109, LogLevel.Information,
        "{Certificate}: the CA rejected the 'replaces' field ({Reason}). Placing the order without it.")]
    public static partial void ReplacesRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1110, LogLevel.Information, "{Certificate}: now serving certificate {SerialNumber}, valid until {NotAfter:u}.")]
    public static partial void CertificateObtained(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset notAfter);

    [LoggerMessage(
        1111, LogLevel.Error,
        "{Certificate}: {Reason} (Cause: {Cause}.) The next attempt is at {NextAttempt:u}. Serving {Served}.")]
    public static partial void CertificateFailed(
        this ILogger logger, Quoted certificate, Quoted reason, Quoted cause, DateTimeOffset nextAttempt, Quoted served);

    [LoggerMessage(
        1112, LogLevel.Error,
        "{Certificate}: {Reason} Operator action required. The next attempt is at {NextAttempt:u}{Sooner}. Serving {Served}.")]
    public static partial void CertificateBlocked(
        this ILogger logger, Quoted certificate, Quoted reason, DateTimeOffset nextAttempt, Quoted sooner, Quoted served);

    public static void FailureDetail(
        this ILogger logger, Quoted certificate, Exception exception)
        => logger.FailureDetailQuoted(certificate, QuotedException.Of(exception));

    [LoggerMessage(1113, LogLevel.Debug, "{Certificate}: details of the failed attempt.", EventName = nameof(FailureDetail))]
    private static partial void FailureDetailQuoted(this ILogger logger, Quoted certificate, Exception exception);

    [LoggerMessage(1114, LogLevel.Debug, "{Certificate}: another instance is ordering the certificate.")]
    public static partial void OrderedElsewhere(this ILogger logger, Quoted certificate);

    [LoggerMessage(
        1189,
        LogLevel.Warning,
        "{Certificate}: the lease of the order ended before the order did: this process stood still, or the store could not be reached. "
        + "Another instance may have taken over. KestrelAcme looks again at once.")]
    public static partial void OrderLeaseLost(this ILogger logger, Quoted certificate);

    [LoggerMessage(1115, LogLevel.Information, "{Certificate}: the next order is planned for {At:u}.")]
    public static partial void NextOrderPlanned(this ILogger logger, Quoted certificate, DateTimeOffset at);

    [LoggerMessage(
        1116, LogLevel.Information,
        "{Certificate}: the CA suggests a renewal between {WindowStart:u} and {WindowEnd:u}. KestrelAcme chose " +
        "{Chosen:u}.{Explanation}")]
    public static partial void RenewalAdvised(
        this ILogger logger, Quoted certificate, DateTimeOffset chosen, DateTimeOffset windowStart, DateTimeOffset windowEnd,
        Quoted explanation);

    [LoggerMessage(1117, LogLevel.Warning, "{Certificate}: the CA's renewal information is invalid: {Reason}")]
    public static partial void RenewalInfoUnusable(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1118, LogLevel.Warning, "{Certificate}: the CA returned no renewal information: {Reason}")]
    public static partial void RenewalInfoUnavailable(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1119, LogLevel.Warning, "This instance orders no certificates: {Reason}")]
    public static partial void NothingIsOrdered(this ILogger logger, Quoted reason);

    [LoggerMessage(1120, LogLevel.Information, "Certificate configuration changed: {Added} added, {Removed} no longer renewed.")]
    public static partial void CertificatesChanged(this ILogger logger, int added, int removed);

    public static void ReconfigurationFailed(
        this ILogger logger, Exception exception) => logger.ReconfigurationFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1121, LogLevel.Error,
        "A changed configuration could not be applied. KestrelAcme tries again at the next change.",
        EventName = nameof(ReconfigurationFailed))]
    private static partial void ReconfigurationFailedQuoted(this ILogger logger, Exception exception);

    public static void EngineFailed(this ILogger logger, Exception exception) => logger.EngineFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1122, LogLevel.Critical,
        "The certificate engine stopped because of an unexpected error. Certificates are still served, but nothing is renewed " +
        "until the app restarts.",
        EventName = nameof(EngineFailed))]
    private static partial void EngineFailedQuoted(this ILogger logger, Exception exception);

    public static void WorkFailed(
        this ILogger logger, Quoted certificate, Exception exception)
        => logger.WorkFailedQuoted(certificate, QuotedException.Of(exception));

    [LoggerMessage(1123, LogLevel.Error, "{Certificate}: unexpected error. Trying again in an hour.", EventName = nameof(WorkFailed))]
    private static partial void WorkFailedQuoted(this ILogger logger, Quoted certificate, Exception exception);

    public static void EventHandlerFailed(
        this ILogger logger, Quoted handler, Quoted @event, Exception exception)
        => logger.EventHandlerFailedQuoted(handler, @event, QuotedException.Of(exception));

    [LoggerMessage(
        1124, LogLevel.Warning,
        "The event handler {Handler} failed on the event {Event}.",
        EventName = nameof(EventHandlerFailed))]
    private static partial void EventHandlerFailedQuoted(this ILogger logger, Quoted handler, Quoted @event, Exception exception);

    [LoggerMessage(1125, LogLevel.Information, "{Certificate}: the rehearsal at {DirectoryUrl} passed. Ordering from production now.")]
    public static partial void RehearsalPassed(this ILogger logger, Quoted certificate, Quoted directoryUrl);

    [LoggerMessage(1126, LogLevel.Warning, "{Certificate}: the rehearsal at {DirectoryUrl} could not run: {Reason}")]
    public static partial void RehearsalUnavailable(this ILogger logger, Quoted certificate, Quoted directoryUrl, Quoted reason);

    [LoggerMessage(
        1127, LogLevel.Error,
        "{Certificate}: the certificate {SerialNumber} was revoked on {At:u} (reason: {Reason}). Replacing it now.")]
    public static partial void CertificateFoundRevoked(
        this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset at, Quoted reason);

    [LoggerMessage(1128, LogLevel.Warning, "{Certificate}: revoked the certificate {SerialNumber} on request (reason: {Reason}).")]
    public static partial void CertificateRevoked(this ILogger logger, Quoted certificate, Quoted serialNumber, Quoted reason);

    [LoggerMessage(1129, LogLevel.Warning, "The revocation list {Url} could not be used: {Reason}")]
    public static partial void RevocationListUnusable(this ILogger logger, Quoted url, Quoted reason);

    [LoggerMessage(1130, LogLevel.Warning, "Revocation could not be checked. Retrying in 15 minutes: {Reason}")]
    public static partial void RevocationCheckFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1131, LogLevel.Debug, "{Name}: could not find out why the {ChallengeType} challenge failed: {Reason}")]
    public static partial void FailureNotExplained(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(
        1132, LogLevel.Warning,
        "The clock of this machine went back from {From:u} to {To:u}. KestrelAcme plans everything again.")]
    public static partial void ClockWentBack(this ILogger logger, DateTimeOffset from, DateTimeOffset to);

    public static void EngineNotBegun(
        this ILogger logger, Exception exception) => logger.EngineNotBegunQuoted(QuotedException.Of(exception));

    [LoggerMessage(
        1133, LogLevel.Error,
        "The certificate engine could not start. Retrying in a minute.",
        EventName = nameof(EngineNotBegun))]
    private static partial void EngineNotBegunQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(
        1134, LogLevel.Warning,
        "The certificate engine did not stop in time. The host continues to shut down. Unfinished orders are resumed at the next " +
        "start.")]
    public static partial void EngineStoppedLate(this ILogger logger);

    [LoggerMessage(
        1135, LogLevel.Warning,
        "{Certificate}: a dns-persist-01 record that proves its names expires at {End:u} (persistUntil). Renewals after that time fail. "
        + "Replace the record with a later persistUntil, or without one.")]
    public static partial void PersistRecordEnds(this ILogger logger, Quoted certificate, DateTimeOffset end);

    [LoggerMessage(
        1136, LogLevel.Warning,
        "{Certificate}: the CA refused the key of the previous certificate (ReuseKeys). Ordering with a new key. {Reason}")]
    public static partial void KeyRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(
        1137, LogLevel.Warning,
        "{Certificate}: {DirectoryUrl} offers no chain with the issuer '{PreferredChain}' (PreferredChain). Using the default " +
        "chain. The issuers on offer are {Issuers}. This is logged once.")]
    public static partial void PreferredChainNotOffered(
        this ILogger logger, Quoted certificate, Quoted directoryUrl, Quoted preferredChain, Quoted issuers);

    [LoggerMessage(
        1138, LogLevel.Information,
        "{Name}: the {ChallengeType} challenge is already being validated. Waiting for the result. {Reason}")]
    public static partial void ChallengeUnderWay(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(
        1139, LogLevel.Warning,
        "{Certificate}: the certificate downloaded from {CertificateUrl} cannot be used. Downloading it again in {Seconds:0.#} " +
        "s. {Reason}")]
    public static partial void DownloadRepeated(
        this ILogger logger, Quoted certificate, Quoted certificateUrl, double seconds, Quoted reason);

    [LoggerMessage(
        1140, LogLevel.Warning,
        "{Certificate}: a renewal is due ({Reason}), but other certificates for these names were obtained recently. KestrelAcme " +
        "waits until {Until:u}, because a CA that asks to renew every certificate at once would cause orders without end. Call " +
        "RenewAsync to renew now.")]
    public static partial void RenewalHeldBack(this ILogger logger, Quoted certificate, Quoted reason, DateTimeOffset until);

    [LoggerMessage(
        1141, LogLevel.Warning,
        "{Count} due renewals have waited more than {Minutes} minutes for a free slot, {Certificate} since {Since:u}. The slots " +
        "are taken by: {Holders}. If these are slow, check their DNS, or raise AcmeHttps:MaxConcurrentOrders.")]
    public static partial void RenewalsStarve(
        this ILogger logger, int count, double minutes, Quoted certificate, DateTimeOffset since, Quoted holders);

    [LoggerMessage(1142, LogLevel.Information, "{Certificate}: the DNS records that blocked the order changed. Trying again now.")]
    public static partial void RecordsChanged(this ILogger logger, Quoted certificate);

    [LoggerMessage(
        1143, LogLevel.Warning,
        "{Certificate}: the retired certificate {SerialNumber} was revoked on {RevokedAt:u} (reason: {RevocationReason}). It is " +
        "no longer served.")]
    public static partial void RetiredCertificateRevoked(
        this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset revokedAt, Quoted revocationReason);

    [LoggerMessage(
        1144, LogLevel.Information,
        "{Name}: another order is validating this name with tls-alpn-01, which allows one validation of a name at a time. " +
        "Waiting for it.")]
    public static partial void TurnAwaited(this ILogger logger, Quoted name);

    [LoggerMessage(
        1145, LogLevel.Warning,
        "{Certificate}: the certificate expired on {NotAfter:u} and its names no longer point here. Nothing is ordered for it " +
        "until a name points here again. KestrelAcme checks once a day.")]
    public static partial void CertificateAbandoned(this ILogger logger, Quoted certificate, DateTimeOffset notAfter);

    [LoggerMessage(1146, LogLevel.Information, "{Certificate}: one of its names points here again. Ordering the certificate.")]
    public static partial void AbandonedNameIsBack(this ILogger logger, Quoted certificate);

    [LoggerMessage(
        1147, LogLevel.Information,
        "{Certificate}: an earlier run submitted the challenges of the order {OrderUrl}. Waiting for the result.")]
    public static partial void VerdictAwaited(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(1148, LogLevel.Debug, "{Certificate}: the state changed from {From} to {To}.")]
    public static partial void StateChanged(this ILogger logger, Quoted certificate, Quoted from, Quoted to);
}
