using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace KestrelAcme.Tls;

/// <summary>Host names as they stand in SNI (RFC 6066 section 3) and in our index: A-labels in lower case, no trailing dot.</summary>
internal static class HostName
{
    private static readonly IdnMapping Idn = new();

    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

    // The longest form of an IPv6 address has 45 characters; brackets or a zone may stand beside it.
    private const int MaxAddressLength = 64;

    /// <summary>Stands for what a client sent as a server name and is none: it is nobody's name.</summary>
    public const string Unknown = "";

    /// <summary>Reads a name; refuses what is none, an IP address among them.</summary>
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
    /// Reads an IP address, as clients send it that put into SNI whatever they connect to: in brackets or not, with a zone or not.
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

        // "12345" and "127.1" are addresses to the parser, and to nobody else.
        address = read.AddressFamily == AddressFamily.InterNetworkV6 ? WithoutZone(read)
            : !brackets && text.SequenceEqual(read.ToString()) ? read
            : null;
        return address is not null;
    }

    /// <summary>
    /// The address that a reverse-mapping name stands for (RFC 1035 section 3.5, RFC 3596 section 2.5); <see langword="null"/> for another
    /// name.
    /// </summary>
    /// <param name="name">The name, normalized.</param>
    public static IPAddress? AddressOf(string name)
    {
        const string V4 = ".in-addr.arpa";
        const string V6 = ".ip6.arpa";
        if (name.EndsWith(V4, StringComparison.Ordinal))
        {
            var octets = name[..^V4.Length].Split('.');
            Array.Reverse(octets);
            var text = string.Join('.', octets);
            return octets.Length == 4 && IPAddress.TryParse(text, out var address) && address.ToString() == text ? address : null;
        }

        // 32 digits with a dot between each two.
        if (!name.EndsWith(V6, StringComparison.Ordinal) || name.Length != V6.Length + 63)
        {
            return null;
        }

        Span<char> digits = stackalloc char[32];
        for (var i = 0; i < digits.Length; i++)
        {
            var at = (digits.Length - 1 - i) * 2;
            digits[i] = name[at];
            if (name[at + 1] != '.')
            {
                return null;
            }
        }

        Span<byte> bytes = stackalloc byte[16];
        return Convert.FromHexString(digits, bytes, out _, out _) == OperationStatus.Done ? new IPAddress(bytes) : null;
    }

    /// <summary>
    /// A name that .NET read from SNI, which it turns into Unicode, as the index knows it; <see cref="Unknown"/> for what is no host name.
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

    /// <summary>A name of the configuration or of a certificate, as the index knows it.</summary>
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

        // A last label of digits only is an IPv4 address, or nothing at all.
        return label > 0 && !digitsOnly;
    }

    private static bool IsAllowed(ref char c)
    {
        if (char.IsAsciiLetterUpper(c))
        {
            c = (char)(c | 0x20);
            return true;
        }

        // Underscores are not in the grammar of host names, yet there are servers with them.
        return char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_';
    }
}
