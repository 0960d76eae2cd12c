using System.Net;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Classifies addresses by <see cref="AddressReach"/>. An IPv4 address embedded in an IPv6 address is classified as
/// itself. Stateless.
/// </summary>
internal static class AddressReaches
{
    public static AddressReach Of(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (length == 4)
        {
            return OfIPv4(bytes[..4]);
        }

        return bytes switch
        {
            [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 or 1] => AddressReach.ThisMachine,
            [0xFE, >= 0x80 and < 0xC0, ..] or [0xFF, ..] => AddressReach.ThisLink,
            // AWS uses a /32 for services on each machine (fd00:ec2::254 and others), Google a single address (fd20:ce::254).
            [0xFD, 0, 0x0E, 0xC2, ..] or [0xFD, 0x20, 0, 0xCE, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x54] => AddressReach.CloudMetadata,
            _ => OfEmbedded(bytes),
        };
    }

    /// <summary>
    /// Classifies the host of a URL without resolving it. Names that only DNS can resolve count as <see cref="AddressReach.Network"/>.
    /// </summary>
    public static AddressReach Of(Uri url)
    {
        if (IPAddress.TryParse(url.IdnHost, out var address))
        {
            return Of(address);
        }

        var name = url.IdnHost.TrimEnd('.');
        var isOwn = url.IsLoopback || name.Equals("localhost", StringComparison.OrdinalIgnoreCase)
            || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        return isOwn ? AddressReach.ThisMachine : AddressReach.Network;
    }

    /// <summary>Describes the reach in messages.</summary>
    public static string Describe(this AddressReach reach) => reach switch
    {
        AddressReach.ThisMachine => "an address of this machine",
        AddressReach.ThisLink => "a link-local address",
        AddressReach.CloudMetadata => "the address of a cloud's metadata service",
        _ => "a network address",
    };

    private static AddressReach OfIPv4(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0 or 127, ..] => AddressReach.ThisMachine,
        [169, 254, ..] or [>= 224 and < 240, ..] or [255, 255, 255, 255] => AddressReach.ThisLink,
        // Alibaba, Azure, Oracle.
        [100, 100, 100, 200] or [168, 63, 129, 16] or [192, 0, 0, 192] => AddressReach.CloudMetadata,
        _ => AddressReach.Network,
    };

    /// <summary>
    /// Classifies the IPv4 addresses embedded in an IPv6 address, because routers, tunnels and translators may forward
    /// to them.
    /// </summary>
    private static AddressReach OfEmbedded(ReadOnlySpan<byte> bytes)
    {
        var last = bytes[12..];
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) // mapped, RFC 4291
            || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]) // compatible, RFC 4291
            || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0]) // translated, RFC 2765
            || bytes.StartsWith((ReadOnlySpan<byte>)[0, 0x64, 0xFF, 0x9B, 0, 0, 0, 0, 0, 0, 0, 0])) // NAT64, RFC 6052
        {
            return OfIPv4(last);
        }

        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x20, 0x02])) // 6to4, RFC 3056
        {
            return OfIPv4(bytes[2..6]);
        }

        if (bytes.StartsWith((ReadOnlySpan<byte>)[0x20, 0x01, 0, 0])) // Teredo, RFC 4380: the server, and the client with its bits flipped
        {
            ReadOnlySpan<byte> client = [(byte)~last[0], (byte)~last[1], (byte)~last[2], (byte)~last[3]];
            return FirstLocal(OfIPv4(bytes[4..8]), OfIPv4(client));
        }

        // Local-use NAT64, RFC 8215: prefixes of 48 to 96 bits, RFC 6052 section 2.2.
        if (bytes.StartsWith((ReadOnlySpan<byte>)[0, 0x64, 0xFF, 0x9B, 0, 1]))
        {
            return FirstLocal(
                OfTranslated(last),
                OfTranslated([bytes[6], bytes[7], bytes[9], bytes[10]]),
                OfTranslated([bytes[7], bytes[9], bytes[10], bytes[11]]),
                OfTranslated(bytes[9..13]));
        }

        return bytes[8..12] is [0 or 2, 0, 0x5E, 0xFE] ? OfIPv4(last) : AddressReach.Network; // ISATAP, RFC 5214
    }

    // The embedded address for one prefix length. A leading zero most likely belongs to the prefix.
    private static AddressReach OfTranslated(ReadOnlySpan<byte> bytes) => bytes[0] == 0 ? AddressReach.Network : OfIPv4(bytes);

    private static AddressReach FirstLocal(params ReadOnlySpan<AddressReach> reaches)
    {
        foreach (var reach in reaches)
        {
            if (reach != AddressReach.Network)
            {
                return reach;
            }
        }

        return AddressReach.Network;
    }
}

/// <summary>How far away from this machine an IP address is.</summary>
internal enum AddressReach
{
    /// <summary>On a network, private or public.</summary>
    Network,

    /// <summary>This machine: 127.0.0.0/8, ::1, and the unspecified addresses, which Linux connects to itself.</summary>
    ThisMachine,

    /// <summary>The local link: 169.254.0.0/16, fe80::/10, multicast. The metadata services of most clouds are there.</summary>
    ThisLink,

    /// <summary>The metadata service of a cloud, which hands out credentials.</summary>
    CloudMetadata,
}
