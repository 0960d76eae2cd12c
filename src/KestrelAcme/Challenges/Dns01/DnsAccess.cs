using System.Net;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.AuthoritativeServers;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>Ways to ask DNS with the resolvers of the configuration in force. Safe for concurrent use.</summary>
internal sealed class DnsAccess(ConfigurationSource configuration, DnsEndPointMap endPoints, TimeProvider time)
{
    private volatile Tools? _tools;

    public DnsQueryClient Requestor => Current.Requestor;

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

        var requestor = new DnsQueryClient(options, time);
        var authorities = new AuthorityLookup(requestor, endPoints.Of);
        return new Tools(resolvers, requestor, authorities, new CaaLookup(requestor, authorities));
    }

    private sealed record Tools(EquatableArray<IPEndPoint> Resolvers, DnsQueryClient Requestor, AuthorityLookup Authorities, CaaLookup Caa);
}
