using System.Net;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Reads the addresses of DNS resolvers.</summary>
internal static class DnsResolverRules
{
    private const int DnsPort = 53;

    /// <summary>Reads a list of resolvers.</summary>
    public static EquatableArray<IPEndPoint> Read(IList<string>? list, string key, ProblemList problems)
    {
        var written = list ?? [];
        var resolvers = new List<IPEndPoint>(written.Count);
        for (var i = 0; i < written.Count; i++)
        {
            if (TryParse(written[i], out var resolver))
            {
                resolvers.Add(resolver);
            }
            else
            {
                problems.Add(
                    $"{key}:{i}", written[i], "is not the address of a resolver",
                    "Write an IP address, such as '192.0.2.53', '192.0.2.53:5353' or '[2001:db8::53]:5353'");
            }
        }

        return EquatableArray.From(resolvers);
    }

    /// <summary>Parses an IP address with or without a port. The default port is 53.</summary>
    public static bool TryParse(string? text, out IPEndPoint endPoint)
    {
        endPoint = new IPEndPoint(IPAddress.None, DnsPort);
        var given = text?.Trim() ?? "";
        if (IpAddressParser.TryParse(given, out var address))
        {
            endPoint = new IPEndPoint(address, DnsPort);
            return true;
        }

        var colon = given.LastIndexOf(':');
        if (colon <= 0
            || !IpAddressParser.TryParse(given[..colon], out address)
            || !ushort.TryParse(given.AsSpan(colon + 1), out var port)
            || port == 0)
        {
            return false;
        }

        // Without brackets, the port of an IPv6 address could be its last group.
        endPoint = new IPEndPoint(address, port);
        return given[..colon].StartsWith('[') || !given[..colon].Contains(':');
    }
}
