using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Tls;

/// <summary>
/// Host names in the form used by SNI (RFC 6066 section 3) and by the name index: lower-case A-labels without a trailing dot.
/// </summary>
internal static class HostName
{
    private static readonly IdnMapping Idn = new();

    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    // The longest text form of an IPv6 address has 45 characters. Brackets and a zone may be added.
    private const int MaxAddressLength = 64;

    /// <summary>Stands for a server name that is not a valid host name. It matches no certificate.</summary>
    public const string Unknown = "";

    /// <summary>Reads a host name. Returns <see langword="false"/> for anything else, including an IP address.</summary>
    public static bool TryRead(ReadOnlySpan<byte> host, [NotNullWhen(true)] out string? name)
    {
        name = null;
        if (!host.IsEmpty && host[^1] == (byte)'.')
        {
            host = host[..^1];
        }

        if (host.IsEmpty || host.Length > MaxLength)
        {
            return false;
        }

        Span<char> lower = stackalloc char[host.Length];
        if (!TryLower(host, lower))
        {
            return false;
        }

        name = new string(lower);
        return true;
    }

    /// <summary>
    /// Reads an IP address, with or without brackets and a zone. Some clients put whatever they connect to into SNI.
    /// </summary>
    public static bool TryReadAddress(ReadOnlySpan<byte> host, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        if (host.Length > 1 && host[^1] == (byte)'.')
        {
            host = host[..^1];
        }

        var brackets = host.Length > 2 && host[0] == (byte)'[' && host[^1] == (byte)']';
        host = brackets ? host[1..^1] : host;
        if (host.Length > MaxAddressLength || host.ContainsAny("[]"u8))
        {
            return false;
        }

        Span<char> text = stackalloc char[host.Length];
        for (var i = 0; i < host.Length; i++)
        {
            text[i] = (char)host[i];
        }

        if (!IPAddress.TryParse(text, out var read))
        {
            return false;
        }

        // IPAddress.TryParse also accepts "12345" and "127.1", which no client sends as an address.
        address = read.AddressFamily == AddressFamily.InterNetworkV6 ? WithoutZone(read)
            : !brackets && text.SequenceEqual(read.ToString()) ? read
            : null;
        return address is not null;
    }

    /// <summary>
    /// Normalizes a name that .NET read from SNI, which it converts to Unicode. Returns <see cref="Unknown"/> if it is not a host name.
    /// </summary>
    public static string FromUnicode(string name)
    {
        if (Ascii.IsValid(name))
        {
            return Normalize(name);
        }

        try
        {
            return Normalize(Idn.GetAscii(name));
        }
        catch (ArgumentException)
        {
            return Unknown;
        }
    }

    /// <summary>Normalizes a name from the configuration or a certificate to the form of the name index.</summary>
    public static string Normalize(string name) => name.TrimEnd('.').ToLowerInvariant();

    private static IPAddress WithoutZone(IPAddress address)
        => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : new IPAddress(address.GetAddressBytes());

    private static bool TryLower(ReadOnlySpan<byte> host, Span<char> lower)
    {
        var label = 0;
        var digitsOnly = true;
        for (var i = 0; i < host.Length; i++)
        {
            var c = (char)host[i];
            if (c == '.')
            {
                if (label == 0)
                {
                    return false;
                }

                label = 0;
                digitsOnly = true;
            }
            else if (!IsAllowed(ref c) || ++label > MaxLabelLength)
            {
                return false;
            }
            else
            {
                digitsOnly &= char.IsAsciiDigit(c);
            }

            lower[i] = c;
        }

        // If the last label has digits only, this is an IPv4 address or invalid.
        return label > 0 && !digitsOnly;
    }

    private static bool IsAllowed(ref char c)
    {
        if (char.IsAsciiLetterUpper(c))
        {
            c = (char)(c | 0x20);
            return true;
        }

        // Underscores are not allowed in host names, but some servers have them.
        return char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_';
    }
}
