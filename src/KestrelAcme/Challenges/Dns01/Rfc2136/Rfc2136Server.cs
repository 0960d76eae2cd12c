using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.Challenges.Dns01.Rfc2136;

/// <summary>The server that accepts updates: an IP address, or a host name that is resolved each time.</summary>
internal sealed record Rfc2136Server(string Host, int Port)
{
    private const int DnsPort = 53;

    public static bool TryParse(string text, [NotNullWhen(true)] out Rfc2136Server? server)
    {
        server = null;
        if (IPAddress.TryParse(text.Trim('[', ']'), out var bare) && !text.Contains("]:", StringComparison.Ordinal))
        {
            server = new Rfc2136Server(bare.ToString(), DnsPort);
            return true;
        }

        var colon = text.LastIndexOf(':');
        var host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        var port = DnsPort;
        if (colon >= 0
            && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port)
                || port is 0 or > ushort.MaxValue))
        {
            return false;
        }

        var isHostName = DnsName.TryParse(host, out var name) && !name.IsRoot && Uri.CheckHostName(host) == UriHostNameType.Dns;
        if (!IPAddress.TryParse(host, out _) && !isHostName)
        {
            return false;
        }

        server = new Rfc2136Server(host, port);
        return true;
    }

    /// <summary>
    /// Returns all addresses of the server. Resolved by the operating system and not by the configured resolvers, because in a container
    /// the name is often a local one.
    /// </summary>
    /// <exception cref="SocketException">The name cannot be resolved.</exception>
    public async Task<IReadOnlyList<IPEndPoint>> FindAsync(CancellationToken cancellationToken)
        => IPAddress.TryParse(Host, out var address)
            ? [new IPEndPoint(address, Port)]
            : [.. (await Dns.GetHostAddressesAsync(Host, cancellationToken).WaitOrAbandonAsync(cancellationToken))
                .Select(a => new IPEndPoint(a, Port))];

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}

/// <summary>Parses the names of TSIG algorithms.</summary>
internal static class TsigAlgorithms
{
    public static bool TryParse(string? text, out TsigAlgorithm algorithm)
    {
        var is512 = string.Equals(text, "hmac-sha512", StringComparison.OrdinalIgnoreCase);
        algorithm = is512 ? TsigAlgorithm.HmacSha512 : TsigAlgorithm.HmacSha256;
        return text is null || is512 || string.Equals(text, "hmac-sha256", StringComparison.OrdinalIgnoreCase);
    }
}
