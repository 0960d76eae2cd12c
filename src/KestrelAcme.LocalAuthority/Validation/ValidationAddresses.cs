using System.Net;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Where names are validated. Nothing is asked of DNS: a name is mapped here, or it is of this machine, or it has no address. Thread-safe.</summary>
internal sealed class ValidationAddresses(LocalAcmeAuthorityOptions options)
{
    private const string Any = "*";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ValidationEndpoints> _mapped = new(StringComparer.OrdinalIgnoreCase);

    public void Map(string name, ValidationEndpoints endpoints)
    {
        lock (_gate)
        {
            _mapped[name] = endpoints;
        }
    }

    /// <summary>The endpoints of a name or an address in text form; null when there are none.</summary>
    public ValidationEndpoints? Find(string host)
    {
        lock (_gate)
        {
            if (_mapped.TryGetValue(host, out var mapped) || FindWildcard(host, out mapped) || _mapped.TryGetValue(Any, out mapped))
            {
                return mapped;
            }
        }

        return AddressOf(host) is { } address ? Default(address) : null;
    }

    private static IPAddress? AddressOf(string host)
    {
        if (IPAddress.TryParse(host, out var address))
        {
            return IPAddress.IsLoopback(address) ? address : null;
        }

        var local = host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        return local ? IPAddress.Loopback : null;
    }

    private bool FindWildcard(string host, out ValidationEndpoints? endpoints)
    {
        endpoints = null;
        var dot = host.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && _mapped.TryGetValue("*" + host[dot..], out endpoints);
    }

    private ValidationEndpoints Default(IPAddress address) =>
        new(new IPEndPoint(address, options.ValidationHttpPort), new IPEndPoint(address, options.ValidationTlsPort));
}
