using System.Net;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>The log messages of the challenge handlers, and of instances that share challenges.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(1200, LogLevel.Debug, "{RemoteAddress} requested an http-01 token and got it.")]
    public static partial void TokenAnswered(this ILogger logger, Quoted remoteAddress);

    [LoggerMessage(1201, LogLevel.Warning,
        "Only this instance can respond to a challenge, because the response could not be stored for other instances. {Reason}")]
    public static partial void TokenNotShared(this ILogger logger, Quoted reason);

    [LoggerMessage(1202, LogLevel.Warning, "An http-01 token could not be looked up in the store: {Reason}")]
    public static partial void TokenLookUpFailed(this ILogger logger, Quoted reason);

    [LoggerMessage(1203, LogLevel.Warning,
        "{Name}: {Address}, an address of the name, does not return the http-01 token but {Answer}. "
        + "KestrelAcme checks again before it submits the challenge to the CA.")]
    public static partial void ForeignAnswer(this ILogger logger, Quoted name, Quoted address, Quoted answer);

    [LoggerMessage(1204, LogLevel.Warning,
        "{Name}: {Address}, an address of the name, still returns {Answer} instead of the http-01 token after {Seconds} seconds. "
        + "KestrelAcme submits the challenge anyway, because the CA may see another address.")]
    public static partial void ForeignAnswerStays(this ILogger logger, Quoted name, Quoted address, Quoted answer, double seconds);

    [LoggerMessage(1205, LogLevel.Warning,
        "{Name}: the app's own endpoint {Endpoint} returns {Answer} instead of the http-01 token. "
        + "Something before KestrelAcme in the app's pipeline handles the path /.well-known/acme-challenge/.")]
    public static partial void ListenerAnswersOtherwise(this ILogger logger, Quoted name, Quoted endpoint, Quoted answer);

    [LoggerMessage(1206, LogLevel.Debug, "The challenge that another instance stored under {Key} cannot be responded to: {Reason}")]
    public static partial void ChallengeNotLearned(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1207, LogLevel.Information,
        "{Name}: not every address of the name responds from this machine: {Seen}. "
        + "The CA may reach more of them. If it does not, correct the A and AAAA records.")]
    public static partial void AddressesSilent(this ILogger logger, Quoted name, Quoted seen);

    [LoggerMessage(1208, LogLevel.Warning,
        "{Names}: only a DNS challenge can prove a wildcard, and none is configured. These certificates can be issued only if the CA has "
        + "authorized the names beforehand; otherwise add 'dns-01' to ChallengeTypes, or configure the host names one by one.")]
    public static partial void WildcardsWithoutDnsChallenge(this ILogger logger, Quoted names);

    // The DNS challenges.
    [LoggerMessage(1209, LogLevel.Information, "Created the TXT record {Name} in zone {Zone} with {Provider}.")]
    public static partial void DnsRecordCreated(this ILogger logger, Quoted name, Quoted zone, Quoted provider);

    [LoggerMessage(1210, LogLevel.Information, "Deleted the TXT record {Name} from zone {Zone} with {Provider}.")]
    public static partial void DnsRecordDeleted(this ILogger logger, Quoted name, Quoted zone, Quoted provider);

    [LoggerMessage(1211, LogLevel.Information, "The TXT record {Name} is visible at {Servers}, {Seconds:0.0} s after it was created.")]
    public static partial void DnsRecordVisible(this ILogger logger, Quoted name, Quoted servers, double seconds);

    [LoggerMessage(1212, LogLevel.Warning,
        "A name server of zone {Zone} is unusable, but others show the record: {Report}. "
        + "Any validation may fail because of it: repair it, or remove it from the zone's NS records.")]
    public static partial void DnsServerTolerated(this ILogger logger, Quoted zone, Quoted report);

    [LoggerMessage(1213, LogLevel.Debug, "The name server {Server} of zone {Zone}, or one of its addresses, is not queried: {Reason}")]
    public static partial void DnsServerSkipped(this ILogger logger, Quoted server, Quoted zone, Quoted reason);

    [LoggerMessage(1214, LogLevel.Debug, "CNAMEs lead the record of {ChallengeName} to another name: {Aliases}")]
    public static partial void DnsAliasesFollowed(this ILogger logger, Quoted challengeName, Quoted aliases);

    [LoggerMessage(1215, LogLevel.Warning,
        "The TXT record {Name} could not be noted in the store before its creation. A crash now would leave it behind. {Reason}")]
    public static partial void DnsRecordNotNoted(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1216, LogLevel.Warning,
        "The note {Key} of a deleted TXT record could not be removed from the store. KestrelAcme removes it later. {Reason}")]
    public static partial void DnsRecordNoteKept(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1217, LogLevel.Warning,
        "The name {Name} could not be locked in the store, so changes by other instances may collide with this one's. {Reason}")]
    public static partial void DnsNameNotLocked(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1218, LogLevel.Information,
        "Deleted the stale TXT record {Name} in zone {Zone}, created at {CreatedAt:u} by an instance that ended without cleaning up.")]
    public static partial void StaleDnsRecordDeleted(this ILogger logger, Quoted name, Quoted zone, DateTimeOffset createdAt);

    [LoggerMessage(1219, LogLevel.Warning,
        "The stale TXT record {Name} in zone {Zone} could not be deleted. KestrelAcme tries again later. {Reason}")]
    public static partial void StaleDnsRecordKept(this ILogger logger, Quoted name, Quoted zone, Quoted reason);

    [LoggerMessage(1220, LogLevel.Warning,
        "KestrelAcme could not look for stale TXT records, and tries again in two minutes. {Reason}")]
    public static partial void StaleDnsRecordsNotSwept(this ILogger logger, Quoted reason);

    [LoggerMessage(1221, LogLevel.Warning, "CAA records may forbid the order; {Doubt}. {Reason}")]
    public static partial void CaaMayForbid(this ILogger logger, Quoted reason, Quoted doubt);

    [LoggerMessage(1222, LogLevel.Information, "{Name}: CAA records could not be looked up. The CA looks for itself. {Reason}")]
    public static partial void CaaNotLookedUp(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1223, LogLevel.Warning,
        "{Name}: dns-persist-01 (an experimental draft) needs a record that is created once and kept. Create: {Record}")]
    public static partial void PersistRecordWanted(this ILogger logger, Quoted name, Quoted record);

    [LoggerMessage(1224, LogLevel.Warning,
        "Registered {ChallengeName} at {Server}. Unless it exists, create: {ChallengeName}. CNAME {Target}.")]
    public static partial void AcmeDnsRegistered(this ILogger logger, Quoted challengeName, Quoted server, Quoted target);

    [LoggerMessage(
        1225, LogLevel.Information,
        "{Name}: its CNAME to {Target} comes from a wildcard and is not followed. The record takes its place. " +
        "To have it followed, create the CNAME at exactly this name.")]
    public static partial void DnsWildcardNotFollowed(this ILogger logger, Quoted name, Quoted target);

    [LoggerMessage(1226, LogLevel.Warning, "{ChallengeName}: the zone was found above names for which no resolver responds. {Doubt}")]
    public static partial void DnsNamesUnanswered(this ILogger logger, Quoted challengeName, Quoted doubt);

    [LoggerMessage(
        1227, LogLevel.Warning,
        "{Name}: from this machine, no name server of zone {Zone} responds with authority ({Report}). KestrelAcme queries the resolvers " +
        "instead, and submits the challenge at least {Seconds:0} s after the record was created. If port 53 is blocked or intercepted in " +
        "this network, set PropagationCheck: Resolvers for the DNS provider; otherwise check the NS records of the zone.")]
    public static partial void DnsServersUnusable(this ILogger logger, Quoted name, Quoted zone, Quoted report, double seconds);

    [LoggerMessage(
        1228, LogLevel.Warning,
        "{Name}: the TXT record was visible, and {Seconds:0} s later it is gone: something else changes the TXT records of this name. " +
        "KestrelAcme creates it again.")]
    public static partial void DnsRecordGone(this ILogger logger, Quoted name, double seconds);

    // Instances that share a store.
    [LoggerMessage(
        1229, LogLevel.Information,
        "This instance could not be registered in the store, so other instances do not wait for it before a challenge is validated. " +
        "{Reason}")]
    public static partial void ReplicaNotRegistered(this ILogger logger, Quoted reason);

    [LoggerMessage(1230, LogLevel.Debug, "The instance {Id} has not changed its record for a while. Its record was removed.")]
    public static partial void ReplicaGone(this ILogger logger, Quoted id);

    [LoggerMessage(
        1231, LogLevel.Warning,
        "{Count} instances that share the store did not confirm within {Seconds} seconds that they can respond to a challenge: {Hosts}. " +
        "KestrelAcme submits the challenge anyway, and does not wait for these instances until it hears from them. " +
        "If they still run, check their connection to the store.")]
    public static partial void ReplicasSilent(this ILogger logger, int count, Quoted hosts, double seconds);

    [LoggerMessage(
        1232, LogLevel.Warning,
        "Changes of challenges in the store could not be followed. Until they can, this instance may not respond to a challenge that " +
        "another instance ordered. {Reason}")]
    public static partial void ChallengesNotFollowed(this ILogger logger, Quoted reason);

    [LoggerMessage(
        1233, LogLevel.Information,
        "The store reports changes late, so {Count} other instances have up to {Seconds:0} seconds to confirm that they can respond to a " +
        "challenge before it is submitted.")]
    public static partial void AcknowledgmentsAwaited(this ILogger logger, int count, double seconds);

    [LoggerMessage(
        1234, LogLevel.Warning,
        "The store reports changes up to {Seconds:0} seconds late (IAcmeStorage.WatchDelay), but an order waits at most {Longest:0} " +
        "seconds until other instances know its challenges. If the CA reaches an instance that does not, the validation fails. " +
        "Set the poll interval of the store to {Longest:0} seconds or less, or use a store that reports changes at once.")]
    public static partial void StorePolledRarely(this ILogger logger, double seconds, double longest);
}
