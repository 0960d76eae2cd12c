using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.Tls;

/// <summary>Host names as they stand in SNI (RFC 6066 section 3) and in our index: A-labels in lower case, no trailing dot.</summary>
internal static class HostName
{
    private const int MaxLength = 253;
    private const int MaxLabelLength = 63;

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

    /// <summary>A name of the configuration or of a certificate, as the index knows it.</summary>
    public static string Normalize(string name) => name.TrimEnd('.').ToLowerInvariant();

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
