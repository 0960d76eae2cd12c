using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;
using KestrelAcme.DnsClient.Errors;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>
/// Finds the location of a challenge's record and the provider that can create it. Finishes within 30 seconds, whatever the name servers
/// respond.
/// </summary>
internal sealed class ChallengeRecordLocator(
    DnsAccess dns, DnsProviderTable providers, ConfigurationSource configuration, ILogger<ChallengeRecordLocator> logger)
{
    /// <exception cref="ChallengeException">
    /// The location cannot be found, is not allowed for challenges, or has no provider.
    /// </exception>
    public async Task<(ChallengeRecordLocation Location, DnsProviderEntry Provider)> FindAsync(
        string challengeName, CancellationToken cancellationToken)
    {
        var name = Parse(challengeName);
        try
        {
            var zone = await dns.Authorities.FindZoneAsync(name, AliasesOf(challengeName), cancellationToken);
            var provider = providers.Find(zone.Name.ToString(), challengeName) ?? throw NoProvider(challengeName, zone);
            Check(challengeName, zone, provider);
            Report(challengeName, zone);
            var (servers, whyNone) = await ServersAsync(challengeName, zone, provider, cancellationToken);
            var doubt = DoubtOf(zone);
            var location = new ChallengeRecordLocation(name, zone.Name, zone.Zone, servers) { Doubt = doubt, WhyNoServers = whyNone };
            return (location, provider);
        }
        catch (DnsException exception)
        {
            throw new ChallengeException($"{challengeName}: the zone of its TXT record cannot be found. {exception.Message}", exception)
            {
                Fault = FaultOf(exception),
            };
        }
    }

    /// <summary>Whether a challenge's name still leads to a record's name, directly or through its CNAMEs.</summary>
    /// <exception cref="ChallengeException">DNS does not respond.</exception>
    public async Task<bool> LeadsToAsync(string challengeName, string recordName, CancellationToken cancellationToken)
    {
        var (from, to) = (Parse(challengeName), Parse(recordName));
        try
        {
            return from == to
                || (await dns.Authorities.FindZoneAsync(from, DnsAliasHandling.FollowExisting, cancellationToken)).Aliases.Contains(to);
        }
        catch (DnsException exception)
        {
            throw new ChallengeException($"{challengeName}: it is unknown where the name leads. {exception.Message}", exception)
            {
                Fault = FaultOf(exception),
            };
        }
    }

    /// <summary>Parses the name of a challenge.</summary>
    public static DnsName Parse(string name)
    {
        try
        {
            return DnsName.Parse(name);
        }
        catch (FormatException exception)
        {
            throw new ChallengeException($"{name} cannot be used in DNS: {exception.Message}", exception)
            {
                Fault = ChallengeFault.Operator,
            };
        }
    }

    private DnsAliasHandling AliasesOf(string challengeName)
        => providers.Find(challengeName, challengeName) is { Specification.FollowCnames: false }
            ? DnsAliasHandling.Ignore
            : DnsAliasHandling.FollowExisting;

    // Temporary problems must not count against the name: if the resolvers do not respond, that says nothing about it. If they respond too
    // slowly or without end for this name, the name is at fault.
    private static ChallengeFault FaultOf(DnsException exception)
        => exception is DnsResolutionException or DnsLimitException { WasAnswered: false } ? ChallengeFault.Local : ChallengeFault.Name;

    private void Check(string challengeName, ZoneAuthority zone, DnsProviderEntry provider)
    {
        var recordName = zone.Name.ToString();
        var specification = provider.Specification;
        if (zone.Aliases.Count == 1
            || string.Equals(specification.Settings.Type, AcmeDnsOptions.TypeName, StringComparison.OrdinalIgnoreCase))
        {
            // acme-dns chooses its own names, and only those are changed.
            return;
        }

        var certificateNames = configuration.Current.Certificates.SelectMany(c => c.Identifiers).Select(i => i.BaseValue).ToList();
        if (!RecordNamePolicy.IsPlain(recordName)
            || !RecordNamePolicy.IsPlaceForChallenges(recordName, specification.Zones, certificateNames))
        {
            throw new ChallengeException(
                $"{challengeName}: its CNAME leads to {recordName} in zone {zone.Zone}, which is not marked for challenges; " +
                "otherwise the owner of a name could have any record created. " +
                "Let the CNAME lead to a name with the label _acme-challenge, " +
                "or to a name below a zone that is used only for challenges and is listed in the provider's Zones.")
            {
                Fault = ChallengeFault.Operator,
            };
        }
    }

    private void Report(string challengeName, ZoneAuthority zone)
    {
        if (zone.Aliases.Count > 1)
        {
            logger.DnsAliasesFollowed(challengeName, string.Join(" -> ", zone.Aliases));
        }

        if (zone.WildcardTarget is { } target)
        {
            logger.DnsWildcardNotFollowed(zone.Name.ToString(), target.ToString());
        }

        if (DoubtOf(zone) is { } doubt)
        {
            logger.DnsNamesUnanswered(challengeName, doubt);
        }
    }

    private static string? DoubtOf(ZoneAuthority zone) => zone.Unanswered.Count == 0
        ? null
        : $"The resolvers do not respond for {string.Join(", ", zone.Unanswered.Select(u => $"{u.Name} {u.Type}"))}, " +
            $"so zone {zone.Zone} above may not be the right one. {zone.Unanswered[0].Message}";

    /// <returns>The servers to ask; none if only the resolvers are asked, or, with the reason, if no server can be asked.</returns>
    private async Task<(IReadOnlyList<AuthoritativeServer> Servers, string? WhyNone)> ServersAsync(
        string challengeName, ZoneAuthority zone, DnsProviderEntry provider, CancellationToken cancellationToken)
    {
        if (provider.Specification.PropagationCheck == DnsPropagationCheck.Resolvers)
        {
            return ([], null);
        }

        IReadOnlyList<AuthoritativeServer> servers;
        try
        {
            servers = await dns.Authorities.FindServersAsync(zone.Zone, cancellationToken);
        }
        catch (DnsException exception) when (!provider.Specification.RequireEveryServer)
        {
            return ([], exception.Message);
        }

        if (provider.Specification.RequireEveryServer && servers.FirstOrDefault(s => s.EndPoints.Count == 0) is { } unasked)
        {
            throw new ChallengeException(
                $"{challengeName}: the name server {unasked.Name} of zone {zone.Zone} cannot be asked, and RequireEveryServer is set: " +
                $"{WhySkipped(unasked)}.",
                unasked.Failure)
            {
                Fault = unasked.Failure is null ? ChallengeFault.Name : ChallengeFault.Local,
            };
        }

        foreach (var server in servers.Where(s => s.EndPoints.Count == 0 || s.Unroutable.Count > 0))
        {
            logger.DnsServerSkipped(server.Name.ToString(), zone.Zone.ToString(), WhySkipped(server));
        }

        return (servers, null);
    }

    private static string WhySkipped(AuthoritativeServer server)
        => server.Failure?.Message.TrimEnd('.')
            ?? (server.Unroutable.Count > 0 ? $"no route to {string.Join(", ", server.Unroutable)}" : "it has no address");

    private ChallengeException NoProvider(string challengeName, ZoneAuthority zone) => new(
        $"{challengeName}: no DNS provider is configured for its record, which is {zone.Name} in zone {zone.Zone}" +
        (zone.Aliases.Count > 1 ? $", where its CNAME leads ({string.Join(" -> ", zone.Aliases)}). " : ". ") +
        $"Add one to AcmeHttps:DnsProviders with \"Zones\": [\"{zone.Zone}\"]" +
        (zone.Aliases.Count > 1 ? ", remove the CNAME, or set FollowCnames to false for the provider of the name itself" : "") +
        $"; configured: {providers.Describe()}.")
    {
        Fault = ChallengeFault.Operator,
    };
}

/// <summary>Where the TXT record of a challenge belongs, after all CNAMEs.</summary>
/// <param name="ChallengeName">The name that the CA queries.</param>
/// <param name="Name">The name at the end of its CNAMEs.</param>
/// <param name="Zone">The zone that contains the name.</param>
/// <param name="Servers">The zone's name servers; empty if only the resolvers are asked.</param>
internal sealed record ChallengeRecordLocation(
    DnsName ChallengeName, DnsName Name, DnsName Zone, IReadOnlyList<AuthoritativeServer> Servers)
{
    /// <summary>
    /// Why another zone may contain the name, as a sentence: no resolver responded
    /// for a name in between. <see langword="null"/> if the zone is certain.
    /// </summary>
    public string? Doubt { get; init; }

    /// <summary>Why none of the zone's servers can be asked, although they should be.</summary>
    public string? WhyNoServers { get; init; }

    /// <summary>Returns the record of a challenge.</summary>
    public DnsTxtRecord Record(string keyAuthorization) => new()
    {
        Zone = Text(Zone),
        Name = Text(Name),
        ChallengeName = Text(ChallengeName),
        Value = DnsChallengeNames.Value(keyAuthorization),
        KeyAuthorization = keyAuthorization,
    };

    private static string Text(DnsName name) => name.ToString().ToLowerInvariant();
}
