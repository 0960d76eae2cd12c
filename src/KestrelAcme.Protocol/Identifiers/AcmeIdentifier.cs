using System.Globalization;
using System.Net;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Identifiers;

/// <summary>
/// The subject of a certificate: a DNS name (RFC 8555 section 7.1.3) or an IP address (RFC 8738). Compared by type and
/// canonical value.
/// </summary>
public sealed record AcmeIdentifier
{
    private const int MaxValueLength = 1024;

    private AcmeIdentifier(string type, string value)
    {
        Type = type;
        Value = value;
    }

    /// <summary>The type in ACME: one of <see cref="AcmeIdentifierTypes"/>, or a type unknown to this library.</summary>
    public string Type { get; }

    /// <summary>The canonical value: a lower-case ASCII name without a trailing dot, or an address in the form of RFC 5952.</summary>
    public string Value { get; }

    /// <summary>Whether this is a DNS name.</summary>
    public bool IsDns => Type == AcmeIdentifierTypes.Dns;

    /// <summary>Whether this is an IP address.</summary>
    public bool IsIp => Type == AcmeIdentifierTypes.Ip;

    /// <summary>
    /// Creates a DNS identifier. Unicode names are converted to A-labels; case and a trailing dot are ignored; a
    /// leading <c>*.</c> is allowed.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">The name is empty or cannot be converted to ASCII.</exception>
    public static AcmeIdentifier Dns(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new AcmeIdentifier(AcmeIdentifierTypes.Dns, CanonicalName(name));
    }

    /// <summary>Creates an IP identifier. An IPv4-mapped IPv6 address counts as the IPv4 address.</summary>
    /// <param name="address">The address; a scope is ignored.</param>
    public static AcmeIdentifier Ip(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new AcmeIdentifier(AcmeIdentifierTypes.Ip, IpAddressText.Canonical(address));
    }

    /// <summary>Creates an IP identifier if the text is an address, and a DNS identifier otherwise.</summary>
    /// <param name="nameOrAddress">A name, or an address without brackets.</param>
    /// <exception cref="ArgumentException">The text is neither a name nor an address.</exception>
    public static AcmeIdentifier Parse(string nameOrAddress)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrAddress);
        return IPAddress.TryParse(nameOrAddress, out var address) ? Ip(address) : Dns(nameOrAddress);
    }

    /// <summary>Returns the value.</summary>
    public override string ToString() => Value;

    internal static AcmeIdentifier? FromDocument(IdentifierDocument? document)
    {
        if (document?.Type is not { Length: > 0 } type || document.Value is not { Length: > 0 and <= MaxValueLength } value)
        {
            return null;
        }

        if (type == AcmeIdentifierTypes.Ip && IPAddress.TryParse(value, out var address))
        {
            return Ip(address);
        }

        var text = QuotedText.Words(value, MaxValueLength);
        return type == AcmeIdentifierTypes.Dns && Ascii.IsValid(text)
            ? new AcmeIdentifier(type, Canonical(text))
            : new AcmeIdentifier(QuotedText.Words(type, 64), text);
    }

    internal IdentifierDocument ToDocument() => new() { Type = Type, Value = Value };

    private static string CanonicalName(string name)
    {
        if (Ascii.IsValid(name))
        {
            return Canonical(name);
        }

        // The asterisk of a wildcard is not part of the name for IDNA.
        var prefix = name.StartsWith("*.", StringComparison.Ordinal) ? "*." : "";
        return Canonical(prefix + new IdnMapping().GetAscii(name[prefix.Length..]));
    }

    private static string Canonical(string name) => (name.Length > 1 && name[^1] == '.' ? name[..^1] : name).ToLowerInvariant();
}

/// <summary>The identifier types of ACME (RFC 8555 section 9.7.7, RFC 8738).</summary>
public static class AcmeIdentifierTypes
{
    /// <summary>A DNS name, RFC 8555.</summary>
    public const string Dns = "dns";

    /// <summary>An IPv4 or IPv6 address, RFC 8738.</summary>
    public const string Ip = "ip";
}

/// <summary>The JSON of an identifier.</summary>
internal sealed class IdentifierDocument
{
    public string? Type { get; init; }

    public string? Value { get; init; }
}
