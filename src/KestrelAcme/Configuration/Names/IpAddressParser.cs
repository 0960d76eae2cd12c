using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace KestrelAcme.Configuration.Names;

/// <summary>Reads IP addresses strictly: <see cref="IPAddress.TryParse(string, out IPAddress)"/> takes <c>1</c>, <c>010.0.0.1</c>, <c>0x7f.1</c> and <c>[::1]:443</c> for addresses.</summary>
internal static class IpAddressParser
{
    /// <summary>Reads a dotted quad, or an IPv6 address without a scope, with or without brackets. An IPv4 address mapped to IPv6 becomes IPv4.</summary>
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
