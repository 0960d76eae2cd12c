using System.Net;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Challenges.Routing;

/// <summary>
/// Resolves a name, and requests from each of its addresses a token that only this instance, and those that share its store, know.
/// </summary>
internal sealed class NameRouting(DnsAccess dns, TrialTokens trials, TokenProbe probe, ConfigurationSource configuration) : INameRouting
{
    private const int MaxAddresses = 8;

    public async Task<NameRoute> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken)
    {
        if (name.Kind == IdentifierKind.Ip)
        {
            return await FindAsync(name.Value, [IPAddress.Parse(name.Value)], cancellationToken);
        }

        try
        {
            var responses = await ResolveAsync(name.BaseValue, cancellationToken);
            if (provenByDns)
            {
                return Array.TrueForAll(responses, response => response is { Code: DnsResponseCode.NXDOMAIN, Answers.Count: 0 })
                    ? NameRoute.Gone
                    : NameRoute.Undecided;
            }

            var addresses = AddressesIn(responses).Take(MaxAddresses).ToList();
            return addresses.Count == 0 ? NameRoute.Gone : await FindAsync(name.Value, addresses, cancellationToken);
        }
        catch (DnsException)
        {
            return NameRoute.Unknown;
        }
    }

    public async Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(
        IReadOnlyCollection<string> names, CancellationToken cancellationToken)
        => await Task.WhenAll(names.Select(name => ReadAddressesAsync(name, cancellationToken)));

    private async Task<NameAddresses> ReadAddressesAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return new NameAddresses(name, [.. AddressesIn(await ResolveAsync(name, cancellationToken))]);
        }
        catch (Exception exception) when (exception is DnsException or FormatException or OperationCanceledException)
        {
            return new NameAddresses(name, null);
        }
    }

    private Task<DnsResponse[]> ResolveAsync(string name, CancellationToken cancellationToken)
    {
        var owner = DnsName.Parse(name);
        return Task.WhenAll(
            dns.Client.ResolveAsync(owner, DnsRecordType.A, cancellationToken),
            dns.Client.ResolveAsync(owner, DnsRecordType.AAAA, cancellationToken));
    }

    private static IEnumerable<IPAddress> AddressesIn(IEnumerable<DnsResponse> responses)
        => responses.SelectMany(response => response.RecordsOf<AddressRecord>()).Select(record => record.Address);

    private async Task<NameRoute> FindAsync(string host, IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        var own = OwnAddresses.Read();
        if (addresses.Any(a => GuardedConnection.IsThisMachine(a) || own.Contains(OwnAddresses.Plain(a))))
        {
            return NameRoute.Here;
        }

        return configuration.Current.SelfCheck ? await AskAsync(host, addresses, cancellationToken) : NameRoute.Undecided;
    }

    private async Task<NameRoute> AskAsync(string host, IReadOnlyList<IPAddress> addresses, CancellationToken cancellationToken)
    {
        await using var trial = await trials.AddAsync(host, cancellationToken);
        var foreign = 0;
        foreach (var address in addresses)
        {
            var endpoint = new IPEndPoint(address, TokenProbe.ValidationPort);
            var result = await probe.AskAsync(endpoint, host, trial.Token, trial.Response, cancellationToken);
            if (result.IsOurs)
            {
                return NameRoute.Here;
            }

            foreign += result.ForeignResponse is null ? 0 : 1;
        }

        return foreign == addresses.Count ? NameRoute.Elsewhere : NameRoute.Undecided;
    }
}

/// <summary>Finds out where names lead.</summary>
internal interface INameRouting
{
    /// <param name="name">The name.</param>
    /// <param name="provenByDns">Whether a DNS challenge proves the name, which then needs no address.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    Task<NameRoute> FindAsync(CertificateIdentifier name, bool provenByDns, CancellationToken cancellationToken);

    /// <summary>Queries the resolvers for the A and AAAA records of names, all at once. Never fails.</summary>
    /// <param name="names">The names.</param>
    /// <param name="cancellationToken">Cancels the queries. Names without a response by then have no addresses.</param>
    Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(IReadOnlyCollection<string> names, CancellationToken cancellationToken);
}

/// <summary>The addresses of a name.</summary>
/// <param name="Name">The name.</param>
/// <param name="Addresses">Its addresses; empty if it has none, and <see langword="null"/> if DNS did not respond.</param>
internal readonly record struct NameAddresses(string Name, IReadOnlyList<IPAddress>? Addresses);

/// <summary>Where a name leads, as far as this machine can tell.</summary>
internal enum NameRoute
{
    /// <summary>DNS did not respond.</summary>
    Unknown,

    /// <summary>The name does not exist in DNS, or has no address although it needs one.</summary>
    Gone,

    /// <summary>Every address of the name responds with something else.</summary>
    Elsewhere,

    /// <summary>
    /// The name exists, and nothing shows that it leads elsewhere. Behind NAT or a load balancer, this machine's addresses are not in DNS,
    /// and the public addresses often cannot be reached from inside.
    /// </summary>
    Undecided,

    /// <summary>The name leads to this machine, or to an instance that shares its store.</summary>
    Here,
}
