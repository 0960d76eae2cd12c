using System.Formats.Asn1;
using System.Net;
using System.Text;

namespace KestrelAcme.Tls;

/// <summary>The DNS names and IP addresses of a leaf (RFC 5280 section 4.2.1.6), read from its DER.</summary>
/// <remarks>Thousands of leaves are compared with their stored names at startup, so comparisons do not create strings.</remarks>
internal static class SubjectNames
{
    private static readonly Asn1Tag DnsName = new(TagClass.ContextSpecific, 2);
    private static readonly Asn1Tag IpAddress = new(TagClass.ContextSpecific, 7);

    private static ReadOnlySpan<byte> Oid => [0x55, 0x1D, 0x11];

    /// <summary>Whether a leaf is for exactly these names, in any order.</summary>
    /// <exception cref="AsnContentException">The extension cannot be read.</exception>
    public static bool AreExactly(DerCertificate leaf, IReadOnlyList<string> names)
    {
        var count = 0;
        var fields = Enter(leaf);
        while (!fields.IsEmpty)
        {
            fields.Next(out var tag);
            count += tag == DnsName || tag == IpAddress ? 1 : 0;
        }

        if (count != names.Count)
        {
            return false;
        }

        for (var i = 0; i < names.Count; i++)
        {
            if (!Contains(leaf, names[i]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Returns all names of a leaf: DNS names in lower case, addresses in their canonical form.</summary>
    /// <exception cref="AsnContentException">The extension cannot be read.</exception>
    public static string[] Read(DerCertificate leaf)
    {
        var names = new List<string>();
        var fields = Enter(leaf);
        while (!fields.IsEmpty)
        {
            var content = DerFields.Content(fields.Next(out var tag));
            if (tag == DnsName && Ascii.IsValid(content))
            {
                names.Add(Encoding.ASCII.GetString(content).ToLowerInvariant());
            }
            else if (tag == IpAddress && content.Length is 4 or 16)
            {
                names.Add(new IPAddress(content).ToString());
            }
        }

        return [.. names.Distinct(StringComparer.Ordinal)];
    }

    private static bool Contains(DerCertificate leaf, string name)
    {
        // No domain name ends with a digit-only label, but an IPv6 address may end with a letter.
        var mayBeAddress = name.Contains(':') || (name.Length > 0 && char.IsAsciiDigit(name[^1]));
        var address = mayBeAddress && IPAddress.TryParse(name, out var parsed) ? parsed.GetAddressBytes() : null;
        var fields = Enter(leaf);
        while (!fields.IsEmpty)
        {
            var content = DerFields.Content(fields.Next(out var tag));
            var found = address is null
                ? tag == DnsName && Ascii.EqualsIgnoreCase(content, name)
                : tag == IpAddress && content.SequenceEqual(address);
            if (found)
            {
                return true;
            }
        }

        return false;
    }

    private static DerFields Enter(DerCertificate leaf)
        => leaf.FindExtension(Oid) is { IsEmpty: false } names ? DerFields.Enter(names) : default;
}
