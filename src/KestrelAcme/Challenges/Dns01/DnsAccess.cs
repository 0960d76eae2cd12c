using System.Net;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>DNS clients that use the currently configured resolvers. Safe for concurrent use.</summary>
internal sealed class DnsAccess(ConfigurationSource configuration, DnsEndPointMap endPoints, TimeProvider time)
{
    private volatile Tools? _tools;

    public DnsQueryClient Client => Current.Client;

    public AuthorityLookup Authorities => Current.Authorities;

    public CaaLookup Caa => Current.Caa;

    private Tools Current
    {
        get
        {
            var resolvers = configuration.Current.DnsResolvers;
            var tools = _tools;
            return tools is not null && tools.Resolvers.Equals(resolvers) ? tools : _tools = Create(resolvers);
        }
    }

    private Tools Create(EquatableArray<IPEndPoint> resolvers)
    {
        var options = new DnsQueryClientOptions();
        foreach (var resolver in resolvers)
        {
            options.Resolvers.Add(resolver);
        }

        var client = new DnsQueryClient(options, time);
        var authorities = new AuthorityLookup(client, endPoints.Of);
        return new Tools(resolvers, client, authorities, new CaaLookup(client, authorities));
    }

    private sealed record Tools(
        EquatableArray<IPEndPoint> Resolvers, DnsQueryClient Client, AuthorityLookup Authorities, CaaLookup Caa);
}

/// <summary>Maps the address of a name server to the endpoint that it listens on: port 53, except in tests.</summary>
internal sealed record DnsEndPointMap(Func<IPAddress, IPEndPoint> Of)
{
    public static DnsEndPointMap Standard { get; } = new(address => new IPEndPoint(address, 53));
}
