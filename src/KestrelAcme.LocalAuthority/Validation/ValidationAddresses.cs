using System.Net;
using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>
/// Maps names to endpoints for validation. DNS is not used: a name is mapped here, is local, or has no address.
/// Thread-safe.
/// </summary>
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

    /// <summary>Returns the endpoints of a name or an address in text form; null if there are none.</summary>
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

/// <summary>The endpoints to use instead of ports 80 and 443 of a name.</summary>
internal sealed record ValidationEndpoints(IPEndPoint Http, IPEndPoint Tls)
{
    /// <summary>Returns the endpoint to use instead of a port of the name.</summary>
    public IPEndPoint For(int port) => port switch
    {
        80 => Http,
        443 => Tls,
        _ => new IPEndPoint(Http.Address, port),
    };
}

/// <summary>A name has no address for its validation.</summary>
internal sealed class UnresolvedNameException(string name)
    : Exception(
        $"The local authority has no address for '{name}': map it with Resolve(\"{name}\", endpoint). It does not use DNS.");
