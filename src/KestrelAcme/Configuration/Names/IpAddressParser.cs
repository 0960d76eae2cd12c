using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Configuration.Names;

/// <summary>
/// Parses IP addresses strictly. <see cref="IPAddress.TryParse(string, out IPAddress)"/> also accepts <c>1</c>, <c>010.0.0.1</c>,
/// <c>0x7f.1</c> and <c>[::1]:443</c>.
/// </summary>
internal static class IpAddressParser
{
    /// <summary>
    /// Parses a dotted-quad IPv4 address, or an IPv6 address without a scope, with or without brackets. An IPv4-mapped IPv6 address becomes
    /// an IPv4 address.
    /// </summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out IPAddress? address)
    {
        address = null;
        var bracketed = text.Length > 2 && text[0] == '[' && text[^1] == ']';
        var bare = bracketed ? text[1..^1] : text;
        if (bare.AsSpan().IndexOfAny("[]%") >= 0 || !IPAddress.TryParse(bare, out var parsed))
        {
            return false;
        }

        if (parsed.AddressFamily == AddressFamily.InterNetwork && (bracketed || parsed.ToString() != bare))
        {
            return false;
        }

        address = parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed;
        return true;
    }
}
