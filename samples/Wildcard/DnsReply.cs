using System.Buffers.Binary;
using System.Text;

namespace Wildcard;

/// <summary>A minimal subset of DNS (RFC 1035) for a zone with TXT records.</summary>
internal static class DnsReply
{
    private const int HeaderLength = 12;
    private const ushort Txt = 16;
    private const ushort Soa = 6;
    private const ushort Answer = 0x8580; // QR, AA, RD, RA
    private const ushort NoSuchName = 3;
    private const ushort Refused = 5;

    /// <returns>The response, or <see langword="null"/> if the message is not a valid query.</returns>
    public static byte[]? To(ReadOnlySpan<byte> query, Zone zone)
    {
        if (query.Length < HeaderLength + 5
            || (query[2] & 0x80) != 0
            || ReadName(query, out var end) is not { } name
            || end + 4 > query.Length)
        {
            return null;
        }

        var type = BinaryPrimitives.ReadUInt16BigEndian(query[end..]);
        var texts = type == Txt ? zone.TextsOf(name) : [];
        var isApex = name.Equals(zone.Apex, StringComparison.OrdinalIgnoreCase);
        var code = !zone.Holds(name) ? Refused : isApex || zone.TextsOf(name).Count > 0 ? (ushort)0 : NoSuchName;
        var asksForSoa = isApex && type == Soa;

        var reply = new List<byte>(512);
        reply.AddRange(query[..2]);
        Number(reply, (ushort)(Answer | code));
        Number(reply, 1);
        Number(reply, (ushort)(asksForSoa ? 1 : texts.Count));
        Number(reply, (ushort)(code != Refused && texts.Count == 0 && !asksForSoa ? 1 : 0));
        Number(reply, 0);
        reply.AddRange(query[HeaderLength..(end + 4)]);
        foreach (var text in texts)
        {
            Record(reply, [0xC0, HeaderLength], Txt, [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)]);
        }

        if (code != Refused && texts.Count == 0)
        {
            // A response without an answer has the zone's SOA record (RFC 2308).
            Record(reply, Name(zone.Apex), Soa, [.. Name("ns." + zone.Apex), .. Name("hostmaster." + zone.Apex), .. new byte[19], 1]);
        }

        return [.. reply];
    }

    private static string? ReadName(ReadOnlySpan<byte> query, out int end)
    {
        var name = new StringBuilder();
        for (end = HeaderLength; end < query.Length; end += query[end] + 1)
        {
            if (query[end] == 0)
            {
                end++;
                return name.ToString();
            }

            if (query[end] > 63 || end + 1 + query[end] > query.Length)
            {
                return null;
            }

            name.Append(name.Length == 0 ? "" : ".").Append(Encoding.ASCII.GetString(query.Slice(end + 1, query[end])));
        }

        return null;
    }

    private static void Record(List<byte> reply, byte[] owner, ushort type, byte[] data)
    {
        reply.AddRange(owner);
        Number(reply, type);
        Number(reply, 1);
        reply.AddRange([0, 0, 0, 1]);
        Number(reply, (ushort)data.Length);
        reply.AddRange(data);
    }

    private static byte[] Name(string name)
        => [.. name.Split('.').SelectMany(label => Encoding.ASCII.GetBytes(label).Prepend((byte)label.Length)), 0];

    private static void Number(List<byte> reply, ushort number) => reply.AddRange([(byte)(number >> 8), (byte)number]);
}
