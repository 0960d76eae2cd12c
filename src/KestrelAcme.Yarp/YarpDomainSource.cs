using KestrelAcme.Certificates;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Model;

namespace KestrelAcme.Yarp;

/// <summary>The hosts of YARP's routes, as they are after YARP's own filters.</summary>
/// <param name="routes">Returns YARP's routes; <see langword="null"/> if the app has no YARP.</param>
internal sealed class YarpDomainSource(Func<IEnumerable<RouteModel>?> routes) : IDomainSource, IConfigChangeListener
{
    /// <summary>The metadata of a route that exempts it if its value is <c>false</c>.</summary>
    internal const string Metadata = "AcmeHttps";

    private readonly Lock _lock = new();
    private CancellationTokenSource _changed = new();
    private HashSet<string> _known = [];

    public Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken)
        => Task.FromResult<IReadOnlyCollection<string>>(ReadHosts());

    public IChangeToken GetChangeToken()
    {
        lock (_lock)
        {
            return new CancellationChangeToken(_changed.Token);
        }
    }

    public void ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        var hosts = ReadHosts();
        CancellationTokenSource spent;
        lock (_lock)
        {
            // YARP applies its configuration anew whenever a destination changes; most changes concern no host.
            if (hosts.SetEquals(_known))
            {
                return;
            }

            _known = hosts;
            spent = _changed;
            _changed = new CancellationTokenSource();
        }

        // Not disposed: a token that was handed out may be registered with yet. A source without a timer holds nothing.
        spent.Cancel();
    }

    public void ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception)
    {
        // YARP keeps the routes that it has, and so do we.
    }

    public void ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
        // Not applied yet.
    }

    public void ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception)
    {
        // YARP keeps the routes that it has, and so do we.
    }

    /// <summary>The names in the hosts of a route, without ports and without hosts that name nothing.</summary>
    internal static IEnumerable<string> NamesOf(RouteConfig route)
    {
        if (route.Match.Hosts is not { } hosts || IsExempt(route))
        {
            yield break;
        }

        foreach (var host in hosts)
        {
            var name = new HostString(host).Host.Trim().TrimStart('[').TrimEnd(']');
            if (name is not ("" or "*"))
            {
                yield return name;
            }
        }
    }

    private static bool IsExempt(RouteConfig route)
        => route.Metadata is { } metadata
            && metadata.TryGetValue(Metadata, out var value)
            && bool.TryParse(value, out var wanted)
            && !wanted;

    private HashSet<string> ReadHosts()
    {
        var current = routes() ?? throw new InvalidOperationException(
            "AddDomainsFromYarp takes the names of certificates from YARP's routes, and the app has no YARP. Call "
            + "builder.Services.AddReverseProxy(), or remove AddDomainsFromYarp().");
        var hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var route in current)
        {
            hosts.UnionWith(NamesOf(route.Config));
        }

        return hosts;
    }
}
