using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>Finds the name servers of a zone and their addresses.</summary>
internal sealed class ServerAddressLookup(DnsQueryClient requestor, Func<IPAddress, IPEndPoint> endPointOf)
{
    // Far more than any delegation has in practice: limits the queries that a hostile zone can cause.
    private const int MaximumServers = 16;
    private const int MaximumAddresses = 64;
    private const int MaximumAddressesOfServer = 16;

    private static readonly TimeSpan TimeLimit = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<AuthoritativeServer>> FindAsync(DnsName zone, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(TimeLimit, requestor.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        AuthoritativeServer[] servers;
        try
        {
            DnsResponse response = await requestor.ResolveAsync(zone, DnsRecordType.NS, either.Token).ConfigureAwait(false);
            IEnumerable<DnsName> names = response.RecordsOf<NsRecord>().Select(record => record.Server).Distinct().Take(MaximumServers);
            servers = Bound(await Task.WhenAll(names.Select(name => FindServerAsync(name, either.Token))).ConfigureAwait(false));
            cancellationToken.ThrowIfCancellationRequested();
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DnsLimitException(zone, $"its name servers were not found within {TimeLimit.TotalSeconds:0} s", wasAnswered: false);
        }

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
        ILookup<bool, IPEndPoint> byRoute = found4.Concat(found6).Distinct().Take(MaximumAddressesOfServer).ToLookup(HasRoute);
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
            // A server that cannot be found must not hide the others; the caller decides.
            return ([], failure);
        }
        catch (OperationCanceledException)
        {
            // A slow server must not hide the others, either. The caller checks its own token.
            string limitPassed = $"its {type} records were not found within {TimeLimit.TotalSeconds:0} s";
            return ([], new DnsLimitException(name, limitPassed, wasAnswered: false));
        }
    }

    // A zone's owner chooses the names of the servers and their addresses, and each address is queried repeatedly.
    private static AuthoritativeServer[] Bound(AuthoritativeServer[] servers)
    {
        int left = MaximumAddresses;
        return [.. servers.Select(server =>
        {
            IPEndPoint[] endPoints = [.. server.EndPoints.Take(left)];
            left -= endPoints.Length;
            return new AuthoritativeServer
            {
                Name = server.Name, EndPoints = endPoints, Unroutable = server.Unroutable, Failure = server.Failure,
            };
        })];
    }

    /// <summary>Connecting a UDP socket sends nothing, but makes the operating system look for a route.</summary>
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
