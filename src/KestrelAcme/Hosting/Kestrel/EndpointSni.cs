using System.Net;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// The <c>Sni</c> section of an endpoint in Kestrel's configuration. Kestrel serves the certificates of its names before any other, and
/// refuses clients whose name it does not have. Immutable.
/// </summary>
internal sealed class EndpointSni
{
    private const string Any = "*";
    private const string WildcardPrefix = "*.";

    // By name: whether Kestrel asks KestrelAcme for the certificate, because the section has none for the name.
    private readonly Dictionary<string, bool> _names = new(StringComparer.OrdinalIgnoreCase);

    // ".example.com", the longest first. In this section, they cover more than one label.
    private readonly List<(string Suffix, bool IsOurs)> _suffixes = [];

    private EndpointSni(IEnumerable<IConfigurationSection> entries)
    {
        foreach (var entry in entries)
        {
            var certificate = entry.GetSection("Certificate");
            var isOurs = string.IsNullOrEmpty(certificate["Path"]) && string.IsNullOrEmpty(certificate["Subject"]);
            if (entry.Key.StartsWith(WildcardPrefix, StringComparison.Ordinal))
            {
                _suffixes.Add(($".{HostName.FromUnicode(entry.Key[WildcardPrefix.Length..])}", isOurs));
            }
            else
            {
                _names[entry.Key == Any ? Any : HostName.FromUnicode(entry.Key)] = isOurs;
            }
        }

        _suffixes.Sort(static (one, other) => other.Suffix.Length.CompareTo(one.Suffix.Length));
    }

    /// <summary>Reads the section of the endpoint that listens at an address.</summary>
    /// <param name="kestrel">Kestrel's configuration.</param>
    /// <param name="listen">The endpoint.</param>
    /// <returns><see langword="null"/> if there is none.</returns>
    public static EndpointSni? Read(IConfiguration? kestrel, ListenOptions listen)
    {
        foreach (var endpoint in kestrel?.GetSection("Endpoints").GetChildren() ?? [])
        {
            var sni = endpoint.GetSection("Sni");
            if (endpoint["Url"] is { Length: > 0 } url && sni.Exists() && IsAt(BindingAddress.Parse(url), listen))
            {
                return new EndpointSni(sni.GetChildren());
            }
        }

        return null;
    }

    /// <summary>Whether a client gets a certificate of KestrelAcme, if there is one.</summary>
    /// <param name="name">The normalized name; <see langword="null"/> for a client without one.</param>
    public bool LeavesToUs(string? name)
    {
        if (name is not null)
        {
            if (_names.TryGetValue(name, out var isOurs))
            {
                return isOurs;
            }

            foreach (var (suffix, isOursBelow) in _suffixes)
            {
                if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.OrdinalIgnoreCase))
                {
                    return isOursBelow;
                }
            }
        }

        return _names.GetValueOrDefault(Any);
    }

    private static bool IsAt(BindingAddress address, ListenOptions listen)
        => address.IsUnixPipe ? listen.SocketPath == address.UnixPipePath
            : address.IsNamedPipe ? listen.PipeName == address.NamedPipeName
            : listen.IPEndPoint is { } local && local.Port == address.Port
                && (!IPAddress.TryParse(address.Host, out var ip) || ip.Equals(local.Address));
}
