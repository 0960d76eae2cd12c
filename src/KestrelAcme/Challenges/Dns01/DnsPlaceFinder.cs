using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Authority;
using KestrelAcme.DnsClient.Errors;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Finds the real place of a challenge's record and the provider that can put it there.</summary>
internal sealed class DnsPlaceFinder(DnsAccess dns, DnsProviderTable providers, ILogger<DnsPlaceFinder> logger)
{
    /// <exception cref="ChallengeException">The place cannot be found, or no provider is for it.</exception>
    public async Task<(DnsPlace Place, DnsProviderEntry Provider)> FindAsync(string challengeName, CancellationToken cancellationToken)
    {
        var name = Parse(challengeName);
        try
        {
            var zone = await dns.Authorities.FindZoneAsync(name, cancellationToken);
            var provider = providers.Find(zone.Name.ToString(), challengeName) ?? throw NoProvider(challengeName, zone);
            if (zone.Aliases.Count > 1)
            {
                logger.DnsAliasesFollowed(challengeName, string.Join(" -> ", zone.Aliases));
            }

            return (new DnsPlace(name, zone.Name, zone.Zone, await ServersAsync(challengeName, zone, provider, cancellationToken)), provider);
        }
        catch (DnsException exception)
        {
            throw new ChallengeException($"{challengeName}: the place of its TXT record cannot be found. {exception.Message}", exception)
            {
                // Resolvers that do not answer say nothing about the name.
                Fault = exception is DnsResolutionException resolution && resolution.Failures.All(f => f.Code is null) ? ChallengeFault.Local : ChallengeFault.Name,
            };
        }
    }

    /// <summary>Reads a name of a challenge.</summary>
    public static DnsName Parse(string name)
    {
        try
        {
            return DnsName.Parse(name);
        }
        catch (FormatException exception)
        {
            throw new ChallengeException($"{name} cannot be proved in DNS: {exception.Message}", exception) { Fault = ChallengeFault.Operator };
        }
    }

    private async Task<IReadOnlyList<AuthoritativeServer>> ServersAsync(string challengeName, ZoneAuthority zone, DnsProviderEntry provider, CancellationToken cancellationToken)
    {
        if (provider.Specification.PropagationCheck == DnsPropagationCheck.Resolvers)
        {
            return [];
        }

        var servers = await dns.Authorities.FindServersAsync(zone.Zone, cancellationToken);
        if (provider.Specification.RequireEveryServer && servers.FirstOrDefault(s => s.EndPoints.Count == 0) is { } unasked)
        {
            throw new ChallengeException(
                $"{challengeName}: the name server {unasked.Name} of zone {zone.Zone} cannot be asked, and RequireEveryServer wants its word: {WhySkipped(unasked)}.", unasked.Failure)
            {
                Fault = unasked.Failure is null ? ChallengeFault.Name : ChallengeFault.Local,
            };
        }

        foreach (var server in servers.Where(s => s.EndPoints.Count == 0 || s.Unroutable.Count > 0))
        {
            logger.DnsServerSkipped(server.Name.ToString(), zone.Zone.ToString(), WhySkipped(server));
        }

        return servers;
    }

    private static string WhySkipped(AuthoritativeServer server)
        => server.Failure?.Message.TrimEnd('.') ?? (server.Unroutable.Count > 0 ? $"no route to {string.Join(", ", server.Unroutable)}" : "it has no address");

    private ChallengeException NoProvider(string challengeName, ZoneAuthority zone) => new(
        $"{challengeName}: no DNS provider is for its record, which is {zone.Name} in zone {zone.Zone}. " +
        $"Add one to AcmeHttps:DnsProviders with \"Zones\": [\"{zone.Zone}\"]; configured: {providers.Describe()}.")
    {
        Fault = ChallengeFault.Operator,
    };
}
