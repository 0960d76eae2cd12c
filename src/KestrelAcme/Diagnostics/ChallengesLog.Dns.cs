using Microsoft.Extensions.Logging;

namespace KestrelAcme.Diagnostics;

/// <summary>What the DNS challenges say.</summary>
internal static partial class ChallengesLog
{
    [LoggerMessage(1250, LogLevel.Information, "The TXT record {Name} was created in zone {Zone} by {Provider}.")]
    public static partial void DnsRecordCreated(this ILogger logger, Quoted name, Quoted zone, Quoted provider);

    [LoggerMessage(1251, LogLevel.Information, "The TXT record {Name} was deleted from zone {Zone} by {Provider}.")]
    public static partial void DnsRecordDeleted(this ILogger logger, Quoted name, Quoted zone, Quoted provider);

    [LoggerMessage(1252, LogLevel.Information, "The TXT record {Name} is visible at {Servers}, {Seconds:0.0} s after it was created.")]
    public static partial void DnsRecordVisible(this ILogger logger, Quoted name, Quoted servers, double seconds);

    [LoggerMessage(1253, LogLevel.Warning, "A name server of zone {Zone} is of no use, and other ones show the record: {Report}. Every validation may stumble over it: repair it, or take it out of the zone's NS records.")]
    public static partial void DnsServerTolerated(this ILogger logger, Quoted zone, Quoted report);

    [LoggerMessage(1254, LogLevel.Debug, "The name server {Server} of zone {Zone}, or an address of it, is not asked: {Reason}")]
    public static partial void DnsServerSkipped(this ILogger logger, Quoted server, Quoted zone, Quoted reason);

    [LoggerMessage(1255, LogLevel.Debug, "The record of {ChallengeName} belongs elsewhere: {Aliases}")]
    public static partial void DnsAliasesFollowed(this ILogger logger, Quoted challengeName, Quoted aliases);

    [LoggerMessage(1256, LogLevel.Warning, "The TXT record {Name} could not be noted in the store before it is created; a crash now would leave it behind. {Reason}")]
    public static partial void DnsRecordNotNoted(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1257, LogLevel.Warning, "The note {Key} of a TXT record that was deleted could not be removed from the store; it is done later. {Reason}")]
    public static partial void DnsRecordNoteKept(this ILogger logger, Quoted key, Quoted reason);

    [LoggerMessage(1258, LogLevel.Warning, "Changes of {Name} by other instances cannot be kept apart from this one's: the store cannot be asked. {Reason}")]
    public static partial void DnsNameNotLocked(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1259, LogLevel.Information, "The stale TXT record {Name} in zone {Zone}, created at {CreatedAt:u} by an instance that ended without cleaning up, was deleted.")]
    public static partial void StaleDnsRecordDeleted(this ILogger logger, Quoted name, Quoted zone, DateTimeOffset createdAt);

    [LoggerMessage(1260, LogLevel.Warning, "The stale TXT record {Name} in zone {Zone} could not be deleted; it is tried again later. {Reason}")]
    public static partial void StaleDnsRecordKept(this ILogger logger, Quoted name, Quoted zone, Quoted reason);

    [LoggerMessage(1261, LogLevel.Warning, "Stale TXT records could not be looked for; it is tried again in two minutes. {Reason}")]
    public static partial void StaleDnsRecordsNotSwept(this ILogger logger, Quoted reason);

    [LoggerMessage(1262, LogLevel.Warning, "CAA may forbid what is about to be ordered; {Doubt}. {Reason}")]
    public static partial void CaaMayForbid(this ILogger logger, Quoted reason, Quoted doubt);

    [LoggerMessage(1263, LogLevel.Information, "{Name}: CAA records could not be looked up, and the authority will look for itself. {Reason}")]
    public static partial void CaaNotLookedUp(this ILogger logger, Quoted name, Quoted reason);

    [LoggerMessage(1264, LogLevel.Warning, "{Name}: dns-persist-01 (an experimental draft) needs a record that is created once and stays. Create: {Record}")]
    public static partial void PersistRecordWanted(this ILogger logger, Quoted name, Quoted record);

    [LoggerMessage(1265, LogLevel.Warning, "{ChallengeName} was registered at {Server}. Unless it is there, create: {ChallengeName}. CNAME {Target}.")]
    public static partial void AcmeDnsRegistered(this ILogger logger, Quoted challengeName, Quoted server, Quoted target);

    [LoggerMessage(
        1266, LogLevel.Information,
        "{Name}: its CNAME to {Target} comes from a wildcard and is not followed; the record takes its place. " +
        "If it is meant to be followed, create the CNAME at this very name.")]
    public static partial void DnsWildcardNotFollowed(this ILogger logger, Quoted name, Quoted target);

    [LoggerMessage(1267, LogLevel.Warning, "{ChallengeName}: the zone was found above names that no resolver answers for. {Doubt}")]
    public static partial void DnsNamesUnanswered(this ILogger logger, Quoted challengeName, Quoted doubt);

    [LoggerMessage(
        1268, LogLevel.Warning,
        "{Name}: no name server of zone {Zone} answers as its authority from here ({Report}). The resolvers are asked for the record " +
        "instead, and the authority is told no sooner than {Seconds:0} s after it was created. If port 53 is blocked or intercepted in " +
        "this network, set PropagationCheck: Resolvers for the DNS provider; otherwise check the NS records of the zone.")]
    public static partial void DnsServersUnusable(this ILogger logger, Quoted name, Quoted zone, Quoted report, double seconds);
}
