using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>Checks that a new name leads to this application, before anything is asked of the CA.</summary>
internal sealed class OnDemandAddressCheck(INameRouting routing, ConfigurationSource configuration, TimeProvider time)
{
    private const int NamesAtOnce = 8;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Checks all names of a certificate.</summary>
    /// <returns>Why one does not lead here; <see langword="null"/> if all do.</returns>
    public async Task<string?> FindObstacleAsync(
        IReadOnlyCollection<CertificateIdentifier> names, OnDemandRecord record, CancellationToken cancellationToken)
    {
        string? obstacle = null;
        await Parallel.ForEachAsync(
            names,
            new ParallelOptions { MaxDegreeOfParallelism = NamesAtOnce, CancellationToken = cancellationToken },
            async (name, token) =>
            {
                if (Volatile.Read(ref obstacle) is null && await FindObstacleAsync(name, record, token) is { } found)
                {
                    Volatile.Write(ref obstacle, names.Count == 1 ? found : $"{name.Value}: {found}");
                }
            });
        return obstacle;
    }

    private async Task<string?> FindObstacleAsync(CertificateIdentifier name, OnDemandRecord record, CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        var networks = snapshot.OnDemand!.Addresses;
        using var limit = new TimeLimit(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            if (networks.Count > 0 && await IsWithinAsync(name, networks, both.Token))
            {
                return null;
            }

            IReadOnlyList<string> types = record.ChallengeTypes is { Count: > 0 } own ? own : snapshot.ChallengeTypes;
            var provenByDns = types.All(type => type.StartsWith("dns-", StringComparison.Ordinal));
            var route = await routing.FindAsync(name, provenByDns, both.Token).WaitOrAbandonAsync(both.Token);
            return Judge(route, mustBeHere: networks.Count > 0 && !provenByDns);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return Judge(NameRoute.Unknown, mustBeHere: true);
        }
    }

    /// <summary>Returns what a route means for a new name. Pure.</summary>
    /// <param name="route">Where the name leads.</param>
    /// <param name="mustBeHere">Whether it is refused unless it certainly leads here.</param>
    public static string? Judge(NameRoute route, bool mustBeHere) => route switch
    {
        NameRoute.Here => null,
        NameRoute.Undecided when !mustBeHere => null,
        NameRoute.Gone => "it has no address in DNS",
        NameRoute.Unknown => "DNS does not respond for it",
        _ => "it does not lead to this application in DNS (OnDemand:CheckAddress, OnDemand:Addresses)",
    };

    private async Task<bool> IsWithinAsync(
        CertificateIdentifier name, EquatableArray<System.Net.IPNetwork> networks, CancellationToken cancellationToken)
    {
        if (name.Kind == IdentifierKind.Ip)
        {
            return networks.Any(network => network.Contains(System.Net.IPAddress.Parse(name.Value)));
        }

        var found = await routing.ReadAddressesAsync([name.BaseValue], cancellationToken);
        return found[0].Addresses?.Any(address => networks.Any(network => network.Contains(address))) == true;
    }
}
