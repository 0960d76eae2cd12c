using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.Authority;

/// <summary>Finds the name servers of a zone and their addresses.</summary>
internal sealed class ServerAddressLookup(DnsRequestor requestor, Func<IPAddress, IPEndPoint> endPointOf)
{
    // Far more than a delegation holds in practice: what a stranger's zone can make us ask is bounded.
    private const int MaximumServers = 32;
    private const int MaximumAddresses = 16;

    public async Task<IReadOnlyList<AuthoritativeServer>> FindAsync(DnsName zone, CancellationToken cancellationToken)
    {
        DnsResponse response = await requestor.ResolveAsync(zone, DnsRecordType.NS, cancellationToken).ConfigureAwait(false);
        IEnumerable<DnsName> names = response.RecordsOf<NsRecord>()
            .Select(record => record.Server).Distinct().Take(MaximumServers);
        AuthoritativeServer[] servers = await Task.WhenAll(names.Select(name => FindServerAsync(name, cancellationToken)))
            .ConfigureAwait(false);
        if (servers.Length == 0)
        {
            throw new DnsZoneException(zone, $"The zone {zone} has no name servers (no NS records).");
        }

        return servers.Any(server => server.EndPoints.Count > 0)
            ? servers
            : throw new DnsZoneException(zone, $"No name server of the zone {zone} can be reached: {Describe(servers)}.");
    }

    private async Task<AuthoritativeServer> FindServerAsync(DnsName name, CancellationToken cancellationToken)
    {
        Task<(IEnumerable<IPEndPoint> Found, DnsException? Failure)> ipv4 = AskAsync(name, DnsRecordType.A, cancellationToken);
        Task<(IEnumerable<IPEndPoint> Found, DnsException? Failure)> ipv6 = AskAsync(name, DnsRecordType.AAAA, cancellationToken);
        await Task.WhenAll(ipv4, ipv6).ConfigureAwait(false);
        (IEnumerable<IPEndPoint> found4, DnsException? failure4) = await ipv4.ConfigureAwait(false);
        (IEnumerable<IPEndPoint> found6, DnsException? failure6) = await ipv6.ConfigureAwait(false);
        ILookup<bool, IPEndPoint> byRoute = found4.Concat(found6).Distinct().Take(MaximumAddresses).ToLookup(HasRoute);
        return new AuthoritativeServer
        {
            Name = name,
            EndPoints = [.. byRoute[true]],
            Unroutable = [.. byRoute[false]],
            Failure = failure4 ?? failure6,
        };
    }

    private async Task<(IEnumerable<IPEndPoint> Found, DnsException? Failure)> AskAsync(
        DnsName name, DnsRecordType type, CancellationToken cancellationToken)
    {
        try
        {
            DnsResponse response = await requestor.ResolveAsync(name, type, cancellationToken).ConfigureAwait(false);
            return (response.RecordsOf<AddressRecord>().Select(record => endPointOf(record.Address)), null);
        }
        catch (DnsException failure)
        {
            // One server that cannot be found must not hide the others: the caller judges.
            return ([], failure);
        }
    }

    /// <summary>Connecting a UDP socket sends nothing, but the operating system looks for a route.</summary>
    private static bool HasRoute(IPEndPoint endPoint)
    {
        try
        {
            using var socket = new Socket(endPoint.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(endPoint);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static string Describe(AuthoritativeServer[] servers) => string.Join("; ", servers.Select(server =>
        server.Unroutable.Count > 0 ? $"{server.Name} has only addresses without a route from here ({string.Join(", ", server.Unroutable)})"
        : $"{server.Name} has no address{(server.Failure is null ? "" : $" ({server.Failure.Message})")}"));
}
