using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Protocol.Identifiers;

/// <summary>Writes addresses in the form that RFC 8738 requires: dotted quads for IPv4, RFC 5952 for IPv6.</summary>
internal static class IpAddressText
{
    private const int Groups = 8;

    public static string Canonical(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily == AddressFamily.InterNetwork ? address.ToString() : WriteIPv6(address.GetAddressBytes());
    }

    // IPAddress.ToString writes some IPv6 addresses with a dotted quad at the end and adds the scope, so the text would not equal the
    // server's.
    private static string WriteIPv6(byte[] bytes)
    {
        var (start, length) = LongestRunOfZeros(bytes);
        var text = new StringBuilder(39);
        for (var group = 0; group < Groups; group++)
        {
            if (group == start)
            {
                text.Append("::");
                group += length - 1;
                continue;
            }

            if (text.Length > 0 && text[^1] != ':')
            {
                text.Append(':');
            }

            text.Append(CultureInfo.InvariantCulture, $"{Group(bytes, group):x}");
        }

        return text.ToString();
    }

    // RFC 5952 section 4.2: the longest run is shortened (the first one if several are equally long), and never a single group.
    private static (int Start, int Length) LongestRunOfZeros(byte[] bytes)
    {
        var best = (Start: -1, Length: 1);
        for (var group = 0; group < Groups; group++)
        {
            var end = group;
            while (end < Groups && Group(bytes, end) == 0)
            {
                end++;
            }

            if (end - group > best.Length)
            {
                best = (group, end - group);
            }

            group = end;
        }

        return best;
    }

    private static ushort Group(byte[] bytes, int group) => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(group * 2, 2));
}
