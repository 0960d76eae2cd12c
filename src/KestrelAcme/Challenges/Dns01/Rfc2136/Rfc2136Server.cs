using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KestrelAcme.DnsClient;

namespace KestrelAcme.Challenges.Dns01.Rfc2136;

/// <summary>The server that takes updates: an address, or a name that is looked up each time.</summary>
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
        if (colon >= 0 && (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) || port is 0 or > ushort.MaxValue))
        {
            return false;
        }

        if (!IPAddress.TryParse(host, out _) && !(DnsName.TryParse(host, out var name) && !name.IsRoot && Uri.CheckHostName(host) == UriHostNameType.Dns))
        {
            return false;
        }

        server = new Rfc2136Server(host, port);
        return true;
    }

    /// <summary>All its addresses. By the system, not by our resolvers: in a container the name is often one of the machine's own.</summary>
    /// <exception cref="SocketException">The name cannot be looked up.</exception>
    public async Task<IReadOnlyList<IPEndPoint>> FindAsync(CancellationToken cancellationToken)
        => IPAddress.TryParse(Host, out var address)
            ? [new IPEndPoint(address, Port)]
            : [.. (await Dns.GetHostAddressesAsync(Host, cancellationToken)).Select(a => new IPEndPoint(a, Port))];

    public override string ToString() => Host.Contains(':') ? $"[{Host}]:{Port}" : $"{Host}:{Port}";
}
