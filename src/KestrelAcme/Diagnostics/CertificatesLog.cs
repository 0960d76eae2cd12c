using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the certificate engine says.</summary>
internal static partial class CertificatesLog
{
    [LoggerMessage(1100, LogLevel.Information, "The account {AccountUrl} at {DirectoryUrl} is ready.")]
    public static partial void AccountReady(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(1101, LogLevel.Warning, "The authority {DirectoryUrl} no longer knows the account {AccountUrl}, or not by this key; it is registered again with {Key} key. CAA and dns-persist-01 records that name the old account have to name the new one. {Reason}")]
    public static partial void AccountLost(this ILogger logger, Quoted accountUrl, Quoted directoryUrl, Quoted key, Quoted reason);

    [LoggerMessage(1102, LogLevel.Information, "{Certificate}: ordering from {DirectoryUrl}.")]
    public static partial void OrderStarted(this ILogger logger, Quoted certificate, Quoted directoryUrl);

    [LoggerMessage(1103, LogLevel.Information, "{Certificate}: the order {OrderUrl} was placed.")]
    public static partial void OrderPlaced(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(1104, LogLevel.Information, "{Certificate}: going on with the order {OrderUrl} that an earlier run began.")]
    public static partial void OrderResumed(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(1105, LogLevel.Warning, "{Certificate}: the order {OrderUrl} of an earlier run cannot be finished ({Reason}); a new one is placed.")]
    public static partial void OrderDropped(this ILogger logger, Quoted certificate, Quoted orderUrl, Quoted reason);

    [LoggerMessage(1106, LogLevel.Information, "{Name}: already authorized, no challenge is needed.")]
    public static partial void AuthorizationAlreadyValid(this ILogger logger, Quoted name);

    [LoggerMessage(1107, LogLevel.Information, "{Name}: the answer to the {ChallengeType} challenge is in place.")]
    public static partial void ChallengePrepared(this ILogger logger, Quoted challengeType, Quoted name);

    [LoggerMessage(1108, LogLevel.Information, "{Name}: the authority was told to look at the {ChallengeType} challenge.")]
    public static partial void ChallengePosted(this ILogger logger, Quoted challengeType, Quoted name);

    [LoggerMessage(1109, LogLevel.Information, "{Name}: the authority found it under our control.")]
    public static partial void AuthorizationValid(this ILogger logger, Quoted name);

    [LoggerMessage(1110, LogLevel.Warning, "{Name}: the answer to the {ChallengeType} challenge could not be removed: {Reason}")]
    public static partial void ChallengeNotCleaned(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(1111, LogLevel.Information, "{Certificate}: the authority refused to hear which certificate is replaced ({Reason}); the order is placed without it.")]
    public static partial void ReplacesRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1112, LogLevel.Information, "{Certificate}: now serving certificate {SerialNumber}, valid until {NotAfter:u}.")]
    public static partial void CertificateObtained(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset notAfter);

    [LoggerMessage(1113, LogLevel.Information, "{Certificate}: now serving certificate {SerialNumber}, which another instance obtained.")]
    public static partial void CertificateAdopted(this ILogger logger, Quoted certificate, Quoted serialNumber);

    [LoggerMessage(1114, LogLevel.Information, "{Certificate}: serving certificate {SerialNumber} from the store, valid until {NotAfter:u}.")]
    public static partial void CertificateLoaded(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset notAfter);

    [LoggerMessage(1115, LogLevel.Error, "{Certificate}: the stored certificate cannot be served: {Reason}")]
    public static partial void StoredCertificateRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1116, LogLevel.Error, "{Certificate}: {Reason} (Cause: {Cause}.) The next attempt is at {NextAttempt:u}; serving {Served}.")]
    public static partial void CertificateFailed(this ILogger logger, Quoted certificate, Quoted reason, Quoted cause, DateTimeOffset nextAttempt, Quoted served);

    [LoggerMessage(1117, LogLevel.Error, "{Certificate}: {Reason} Operator action required; the next attempt is at {NextAttempt:u}{Sooner}. Serving {Served}.")]
    public static partial void CertificateBlocked(this ILogger logger, Quoted certificate, Quoted reason, DateTimeOffset nextAttempt, Quoted sooner, Quoted served);

    public static void FailureDetail(this ILogger logger, Quoted certificate, Exception exception) => logger.FailureDetailQuoted(certificate, QuotedException.Of(exception));

    [LoggerMessage(1118, LogLevel.Debug, "{Certificate}: details of the failed attempt.", EventName = nameof(FailureDetail))]
    private static partial void FailureDetailQuoted(this ILogger logger, Quoted certificate, Exception exception);

    [LoggerMessage(1119, LogLevel.Warning, "{Certificate}: its state could not be stored: {Reason}")]
    public static partial void StateNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1120, LogLevel.Error, "{Certificate}: the new certificate is served from memory, but could not be stored; storing is tried again every minute: {Reason}")]
    public static partial void CertificateNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1121, LogLevel.Error, "{Certificate}: could not be exported to {Path}: {Reason}")]
    public static partial void ExportFailed(this ILogger logger, Quoted certificate, Quoted path, Quoted reason);

    [LoggerMessage(1122, LogLevel.Debug, "{Certificate}: another instance has the order in hand.")]
    public static partial void OrderedElsewhere(this ILogger logger, Quoted certificate);

    [LoggerMessage(1123, LogLevel.Information, "{Certificate}: the next order is planned for {At:u}.")]
    public static partial void NextOrderPlanned(this ILogger logger, Quoted certificate, DateTimeOffset at);

    [LoggerMessage(1124, LogLevel.Information, "{Certificate}: the authority advises a renewal between {WindowStart:u} and {WindowEnd:u}; chosen is {Chosen:u}.{Explanation}")]
    public static partial void RenewalAdvised(this ILogger logger, Quoted certificate, DateTimeOffset chosen, DateTimeOffset windowStart, DateTimeOffset windowEnd, Quoted explanation);

    [LoggerMessage(1125, LogLevel.Warning, "{Certificate}: the authority's renewal information makes no sense: {Reason}")]
    public static partial void RenewalInfoUnusable(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1126, LogLevel.Warning, "{Certificate}: the authority gave no renewal information: {Reason}")]
    public static partial void RenewalInfoUnavailable(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1127, LogLevel.Error, "The store could not be read at start; what it holds is served as soon as it can be read: {Reason}")]
    public static partial void StoreUnavailableAtLoad(this ILogger logger, Quoted reason);

    [LoggerMessage(1128, LogLevel.Error, "The store could not be read within {Seconds} seconds; the start goes on without it.")]
    public static partial void StoreSlowAtLoad(this ILogger logger, double seconds);

    [LoggerMessage(1129, LogLevel.Warning, "The store at {Place} needs attention: {Explanation}")]
    public static partial void StoreNeedsAttention(this ILogger logger, Quoted place, Quoted explanation);

    [LoggerMessage(1130, LogLevel.Warning, "No certificate is ordered: {Reason}")]
    public static partial void NothingIsOrdered(this ILogger logger, Quoted reason);

    [LoggerMessage(1131, LogLevel.Information, "What is wanted changed: {Added} certificates are new, {Removed} are no longer renewed.")]
    public static partial void CertificatesChanged(this ILogger logger, int added, int removed);

    public static void ReconfigurationFailed(this ILogger logger, Exception exception) => logger.ReconfigurationFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1132, LogLevel.Error, "The changed configuration could not be applied; the next change is tried again.", EventName = nameof(ReconfigurationFailed))]
    private static partial void ReconfigurationFailedQuoted(this ILogger logger, Exception exception);

    public static void EngineFailed(this ILogger logger, Exception exception) => logger.EngineFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1133, LogLevel.Critical, "The certificate engine ended by a defect. What is served stays; nothing is renewed until the restart.", EventName = nameof(EngineFailed))]
    private static partial void EngineFailedQuoted(this ILogger logger, Exception exception);

    public static void WorkFailed(this ILogger logger, Quoted certificate, Exception exception) => logger.WorkFailedQuoted(certificate, QuotedException.Of(exception));

    [LoggerMessage(1134, LogLevel.Error, "{Certificate}: an unexpected failure; it is looked at again in an hour.", EventName = nameof(WorkFailed))]
    private static partial void WorkFailedQuoted(this ILogger logger, Quoted certificate, Exception exception);

    [LoggerMessage(1135, LogLevel.Warning, "The store's changes could not be followed; tried again in 30 seconds: {Reason}")]
    public static partial void FollowingFailed(this ILogger logger, Quoted reason);

    public static void EventHandlerFailed(this ILogger logger, Quoted handler, Quoted @event, Exception exception) => logger.EventHandlerFailedQuoted(handler, @event, QuotedException.Of(exception));

    [LoggerMessage(1136, LogLevel.Warning, "The handler {Handler} failed on the event {Event}.", EventName = nameof(EventHandlerFailed))]
    private static partial void EventHandlerFailedQuoted(this ILogger logger, Quoted handler, Quoted @event, Exception exception);

    [LoggerMessage(1137, LogLevel.Information, "{Certificate}: the rehearsal at {DirectoryUrl} passed; production is asked at once.")]
    public static partial void RehearsalPassed(this ILogger logger, Quoted certificate, Quoted directoryUrl);

    [LoggerMessage(1138, LogLevel.Warning, "{Certificate}: the rehearsal at {DirectoryUrl} could not be held: {Reason}")]
    public static partial void RehearsalUnavailable(this ILogger logger, Quoted certificate, Quoted directoryUrl, Quoted reason);

    [LoggerMessage(1139, LogLevel.Warning, "The pace of new orders could not be stored: {Reason}")]
    public static partial void PaceNotStored(this ILogger logger, Quoted reason);

    [LoggerMessage(1140, LogLevel.Error, "{Certificate}: the certificate {SerialNumber} was revoked on {At:u} (reason: {Reason}); it is replaced at once.")]
    public static partial void CertificateFoundRevoked(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset at, Quoted reason);

    [LoggerMessage(1141, LogLevel.Warning, "{Certificate}: the certificate {SerialNumber} was revoked as asked (reason: {Reason}).")]
    public static partial void CertificateRevoked(this ILogger logger, Quoted certificate, Quoted serialNumber, Quoted reason);

    [LoggerMessage(1142, LogLevel.Warning, "The revocation list {Url} could not be used: {Reason}")]
    public static partial void RevocationListUnusable(this ILogger logger, Quoted url, Quoted reason);

    [LoggerMessage(1143, LogLevel.Warning, "Revocation could not be looked at; tried again in 15 minutes: {Reason}")]
    public static partial void RevocationCheckFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1177, LogLevel.Warning, "When to look at the revocation list {Url} again could not be stored; a restart looks at it once more. {Reason}")]
    public static partial void RevocationLookNotStored(this ILogger logger, Quoted url, Quoted reason);

    [LoggerMessage(1144, LogLevel.Warning, "The domain source {Source} has no names any more; the {Count} that it had are kept until the restart, or until it has others.")]
    public static partial void DomainSourceEmpty(this ILogger logger, Quoted source, int count);

    public static void DomainSourceFailed(this ILogger logger, Quoted source, int count, Exception exception) => logger.DomainSourceFailedQuoted(source, count, QuotedException.Of(exception));

    [LoggerMessage(1145, LogLevel.Error, "The domain source {Source} failed; the {Count} names that it had are kept.", EventName = nameof(DomainSourceFailed))]
    private static partial void DomainSourceFailedQuoted(this ILogger logger, Quoted source, int count, Exception exception);

    [LoggerMessage(1146, LogLevel.Warning, "The name '{Name}' {Reason}. {Fix}. It is left out.")]
    public static partial void DomainRefused(this ILogger logger, Quoted name, Quoted reason, Quoted fix);

    [LoggerMessage(1157, LogLevel.Warning, "{Count} more names are left out. Repair the names above first; the next ones are logged then.")]
    public static partial void MoreDomainsRefused(this ILogger logger, int count);

    [LoggerMessage(1147, LogLevel.Warning, "The names that were added at run time could not be read; those that are known are kept: {Reason}")]
    public static partial void DomainsNotRead(this ILogger logger, Quoted reason);

    [LoggerMessage(1148, LogLevel.Warning, "Tidying up the store failed; tried again in a day: {Reason}")]
    public static partial void HousekeepingFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1149, LogLevel.Information, "Removed '{Key}' from the store: nothing has used it for two weeks.")]
    public static partial void LeftoverRemoved(this ILogger logger, Quoted key);

    [LoggerMessage(1150, LogLevel.Debug, "{Name}: nothing could be found out about the failed {ChallengeType} challenge: {Reason}")]
    public static partial void FailureNotExplained(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(1151, LogLevel.Information, "The account {AccountUrl} at {DirectoryUrl} has a new key.")]
    public static partial void AccountKeyChanged(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(1152, LogLevel.Warning, "The clock of this machine went back from {From:u} to {To:u}; everything is planned anew.")]
    public static partial void ClockWentBack(this ILogger logger, DateTimeOffset from, DateTimeOffset to);

    public static void EngineNotBegun(this ILogger logger, Exception exception) => logger.EngineNotBegunQuoted(QuotedException.Of(exception));

    [LoggerMessage(1153, LogLevel.Error, "The certificate engine could not begin; tried again in a minute.", EventName = nameof(EngineNotBegun))]
    private static partial void EngineNotBegunQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(1154, LogLevel.Warning, "The certificate engine did not stop in time; the host goes on stopping. Orders under way are resumed at the next start.")]
    public static partial void EngineStoppedLate(this ILogger logger);

    [LoggerMessage(1155, LogLevel.Warning,
        "The trusted roots of {Path} could not be read again; those that were read before stay in use. {Reason}")]
    public static partial void TrustedRootsNotRead(this ILogger logger, Quoted path, Quoted reason);

    [LoggerMessage(1156, LogLevel.Information, "The trusted roots of {Path} changed and were read again: {Count} certificates.")]
    public static partial void TrustedRootsRead(this ILogger logger, Quoted path, int count);

    [LoggerMessage(1159, LogLevel.Error, "The authority {DirectoryUrl} refuses orders whatever their names are: {Reason} Next attempt at {NextAttempt:u}.")]
    public static partial void AccountBlocked(this ILogger logger, Quoted directoryUrl, Quoted reason, DateTimeOffset nextAttempt);

    [LoggerMessage(1160, LogLevel.Warning, "{Certificate}: the authority refuses the key of the certificate before, which was to be used again (ReuseKeys); the order goes on with a new key. {Reason}")]
    public static partial void KeyRefused(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1161, LogLevel.Warning, "{Certificate}: {DirectoryUrl} offers no chain with the issuer '{PreferredChain}' (PreferredChain); the default chain is used. The issuers on offer are {Issuers}. This is said once.")]
    public static partial void PreferredChainNotOffered(this ILogger logger, Quoted certificate, Quoted directoryUrl, Quoted preferredChain, Quoted issuers);

    [LoggerMessage(
        1162, LogLevel.Information, "{Name}: the {ChallengeType} challenge is being validated already; waiting for the result. {Reason}")]
    public static partial void ChallengeUnderWay(this ILogger logger, Quoted challengeType, Quoted name, Quoted reason);

    [LoggerMessage(
        1163,
        LogLevel.Warning,
        "{Certificate}: what was downloaded from {CertificateUrl} cannot be used; it is downloaded again in {Seconds:0.#} s. {Reason}")]
    public static partial void DownloadRepeated(this ILogger logger, Quoted certificate, Quoted certificateUrl, double seconds, Quoted reason);

    [LoggerMessage(1165, LogLevel.Warning, "{Certificate}: a renewal is due ({Reason}), but other certificates for these names were obtained shortly before. It is held back until {Until:u}, since a CA that asks for every certificate to be renewed at once would be asked without end. Call RenewAsync to renew now.")]
    public static partial void RenewalHeldBack(this ILogger logger, Quoted certificate, Quoted reason, DateTimeOffset until);

    [LoggerMessage(1166, LogLevel.Warning, "{Count} due renewals have waited for more than {Minutes} minutes for a free place, {Certificate} since {Since:u}. The places are taken by: {Holders}. If these are slow, look at their DNS; AcmeHttps:MaxConcurrentOrders gives more places.")]
    public static partial void RenewalsStarve(this ILogger logger, int count, double minutes, Quoted certificate, DateTimeOffset since, Quoted holders);

    [LoggerMessage(1167, LogLevel.Information, "{Certificate}: DNS shows a change in the records that kept it from being ordered; trying again now.")]
    public static partial void RecordsChanged(this ILogger logger, Quoted certificate);

    [LoggerMessage(1168, LogLevel.Warning, "{Certificate}: the certificate that was just obtained is served from memory only. No other one is ordered before {Until:u}, however the store goes on.")]
    public static partial void NoOrderWhileUnstored(this ILogger logger, Quoted certificate, DateTimeOffset until);

    [LoggerMessage(1170, LogLevel.Error, "{Certificate}: what the store holds of it could not be taken over; tried again from time to time: {Reason}")]
    public static partial void StoredCertificateNotFollowed(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1171, LogLevel.Warning, "{Certificate}: its certificate is gone from the store; it is stored again.")]
    public static partial void StoredCertificateGone(this ILogger logger, Quoted certificate);

    [LoggerMessage(1172, LogLevel.Error, "{Certificate}: it is revoked, but that could not be stored; it is stored with the next order: {Reason}")]
    public static partial void RevocationNotStored(this ILogger logger, Quoted certificate, Quoted reason);

    [LoggerMessage(1173, LogLevel.Warning, "The last names of the domain source {Source} could not be read from the store: {Reason}")]
    public static partial void DomainSourceNotRecalled(this ILogger logger, Quoted source, Quoted reason);

    [LoggerMessage(1174, LogLevel.Warning, "The names of the domain source {Source} could not be stored; should it fail at the next start, they are not known then: {Reason}")]
    public static partial void DomainSourceNotKept(this ILogger logger, Quoted source, Quoted reason);

    public static void DomainSourceNotFollowed(this ILogger logger, Quoted source, Exception exception) => logger.DomainSourceNotFollowedQuoted(source, QuotedException.Of(exception));

    [LoggerMessage(1175, LogLevel.Error, "The domain source {Source} gave no change token; its changes are seen every ten minutes only.", EventName = nameof(DomainSourceNotFollowed))]
    private static partial void DomainSourceNotFollowedQuoted(this ILogger logger, Quoted source, Exception exception);

    [LoggerMessage(1176, LogLevel.Warning, "The {Count} names that were added at run time are gone from the store; they are stored again.")]
    public static partial void DomainsGone(this ILogger logger, int count);

    [LoggerMessage(1178, LogLevel.Warning, "{Certificate}: the stored certificate {StoredSerialNumber} is not taken over, since {Reason}; {SerialNumber} is still served.")]
    public static partial void StoredCertificateWorse(this ILogger logger, Quoted certificate, Quoted storedSerialNumber, Quoted reason, Quoted serialNumber);

    [LoggerMessage(1179, LogLevel.Warning, "The stored data of the account at {DirectoryUrl} was damaged, its key was not: the authority knows it as {AccountUrl}, which is used on.")]
    public static partial void AccountRepaired(this ILogger logger, Quoted directoryUrl, Quoted accountUrl);

    [LoggerMessage(1180, LogLevel.Information, "Serving {Certificate} from the store, of earlier settings and valid until {NotAfter:u}, until the certificates that are wanted now exist.")]
    public static partial void RetiredCertificateServed(this ILogger logger, Quoted certificate, DateTimeOffset notAfter);

    public static void LoadFailed(this ILogger logger, Exception exception) => logger.LoadFailedQuoted(QuotedException.Of(exception));

    [LoggerMessage(1181, LogLevel.Error, "Stored certificates could not be read; what was not read is looked at again before anything is ordered.", EventName = nameof(LoadFailed))]
    private static partial void LoadFailedQuoted(this ILogger logger, Exception exception);

    [LoggerMessage(1182, LogLevel.Warning, "The account at {DirectoryUrl} is at a rate limit, as another instance or an earlier run was told. Nothing is ordered there until {Until:u}.")]
    public static partial void AccountStillHeld(this ILogger logger, Quoted directoryUrl, DateTimeOffset until);

    [LoggerMessage(1183, LogLevel.Warning, "{Certificate}: certificate {SerialNumber}, of earlier settings, was revoked on {RevokedAt:u} (reason: {RevocationReason}); it is no longer served.")]
    public static partial void RetiredCertificateRevoked(this ILogger logger, Quoted certificate, Quoted serialNumber, DateTimeOffset revokedAt, Quoted revocationReason);

    [LoggerMessage(1184, LogLevel.Information, "{Name}: another order has this name validated by tls-alpn-01, which answers one at a time; waiting for it.")]
    public static partial void TurnAwaited(this ILogger logger, Quoted name);

    [LoggerMessage(1185, LogLevel.Warning, "The account {AccountUrl} at {DirectoryUrl} was gone from the store; it is stored again.")]
    public static partial void AccountStoredAgain(this ILogger logger, Quoted accountUrl, Quoted directoryUrl);

    [LoggerMessage(1190, LogLevel.Warning, "The authority {DirectoryUrl} refuses orders for unrelated names by a rate limit, so the limit may be the account's. Orders for new names go there one at a time, the next one at {Until:u}, until one is accepted; renewals go on.")]
    public static partial void AccountHeld(this ILogger logger, Quoted directoryUrl, DateTimeOffset until);

    [LoggerMessage(1191, LogLevel.Warning, "{Certificate}: its certificate expired on {NotAfter:u} and its names no longer lead here; nothing is ordered for it until one does again, which is looked at once a day.")]
    public static partial void CertificateAbandoned(this ILogger logger, Quoted certificate, DateTimeOffset notAfter);

    [LoggerMessage(1192, LogLevel.Information, "{Certificate}: a name is back; the certificate is ordered again.")]
    public static partial void AbandonedNameIsBack(this ILogger logger, Quoted certificate);

    [LoggerMessage(1194, LogLevel.Information, "{Certificate}: the challenges of the order {OrderUrl} were posted by an earlier run; the authority's verdict is waited for.")]
    public static partial void VerdictAwaited(this ILogger logger, Quoted certificate, Quoted orderUrl);

    [LoggerMessage(1193, LogLevel.Debug, "{Certificate}: {From} is now {To}.")]
    public static partial void StateChanged(this ILogger logger, Quoted certificate, Quoted from, Quoted to);
}
