using System.Globalization;
using System.Net;
using System.Text;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Identifiers;

/// <summary>What a certificate is for: a DNS name (RFC 8555 section 7.1.3) or an IP address (RFC 8738). Compares by type and canonical value.</summary>
public sealed record AcmeIdentifier
{
    private const int MaxValueLength = 1024;

    private AcmeIdentifier(string type, string value)
    {
        Type = type;
        Value = value;
    }

    /// <summary>The type as ACME writes it; one of <see cref="AcmeIdentifierTypes"/>, or a type this library does not know.</summary>
    public string Type { get; }

    /// <summary>The canonical value: a lower-case name in ASCII without a trailing dot, or an address as RFC 5952 writes it.</summary>
    public string Value { get; }

    /// <summary>Whether this is a DNS name.</summary>
    public bool IsDns => Type == AcmeIdentifierTypes.Dns;

    /// <summary>Whether this is an IP address.</summary>
    public bool IsIp => Type == AcmeIdentifierTypes.Ip;

    /// <summary>Makes a DNS identifier. A name in Unicode becomes its A-labels; case and a trailing dot do not matter; <c>*.</c> may lead.</summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">The name is empty or has no form in ASCII.</exception>
    public static AcmeIdentifier Dns(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return new AcmeIdentifier(AcmeIdentifierTypes.Dns, CanonicalName(name));
    }

    /// <summary>Makes an IP identifier; an IPv4 address mapped into IPv6 counts as the IPv4 address.</summary>
    /// <param name="address">The address; a scope does not matter.</param>
    public static AcmeIdentifier Ip(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return new AcmeIdentifier(AcmeIdentifierTypes.Ip, IpAddressText.Canonical(address));
    }

    /// <summary>Makes an IP identifier where the text is an address, and a DNS identifier otherwise.</summary>
    /// <param name="nameOrAddress">A name or an address, the latter without brackets.</param>
    /// <exception cref="ArgumentException">The text is neither.</exception>
    public static AcmeIdentifier Parse(string nameOrAddress)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(nameOrAddress);
        return IPAddress.TryParse(nameOrAddress, out var address) ? Ip(address) : Dns(nameOrAddress);
    }

    /// <summary>The value alone.</summary>
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

        // A wildcard's asterisk is no part of the name that IDNA knows.
        var prefix = name.StartsWith("*.", StringComparison.Ordinal) ? "*." : "";
        return Canonical(prefix + new IdnMapping().GetAscii(name[prefix.Length..]));
    }

    private static string Canonical(string name) => (name.Length > 1 && name[^1] == '.' ? name[..^1] : name).ToLowerInvariant();
}
