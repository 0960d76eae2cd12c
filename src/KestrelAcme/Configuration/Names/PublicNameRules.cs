using System.Net;

namespace KestrelAcme.Configuration.Names;

/// <summary>
/// Finds names and addresses that no public CA issues certificates for (CA/Browser Forum Baseline Requirements 4.2.2 and 7.1.2.7; IANA's
/// registries of special-use names and addresses).
/// </summary>
internal static class PublicNameRules
{
    private const int MaxNameLength = 230;
    private const int MaxLabels = 10;
    private const string OwnAuthority = "Use a public name, or a private CA (DirectoryUrl) for this one";

    private static readonly HashSet<string> ReservedTopLevels =
        ["alt", "arpa", "example", "internal", "invalid", "local", "localhost", "onion", "test"];

    private static readonly IPNetwork[] ReservedNetworks =
    [
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("100.64.0.0/10"),
        IPNetwork.Parse("127.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("172.16.0.0/12"),
        IPNetwork.Parse("192.0.0.0/24"), IPNetwork.Parse("192.0.2.0/24"), IPNetwork.Parse("192.168.0.0/16"),
        IPNetwork.Parse("198.18.0.0/15"), IPNetwork.Parse("198.51.100.0/24"), IPNetwork.Parse("203.0.113.0/24"),
        IPNetwork.Parse("224.0.0.0/3"), IPNetwork.Parse("::/96"), IPNetwork.Parse("100::/64"), IPNetwork.Parse("2001:db8::/32"),
        IPNetwork.Parse("fc00::/7"), IPNetwork.Parse("fe80::/9"), IPNetwork.Parse("ff00::/8"),
    ];

    /// <summary>Returns a failure, or <see langword="null"/> if a public CA may issue a certificate for the identifier.</summary>
    public static NameResult? Refuse(CertificateIdentifier identifier)
        => identifier.Kind == IdentifierKind.Ip ? RefuseAddress(IPAddress.Parse(identifier.Value)) : RefuseName(identifier);

    private static NameResult? RefuseAddress(IPAddress address)
        => Array.Exists(ReservedNetworks, network => network.Contains(address))
            ? NameResult.Failure("is a private or reserved IP address: public CAs do not issue certificates for it", OwnAuthority)
            : null;

    private static NameResult? RefuseName(CertificateIdentifier identifier)
    {
        var name = identifier.BaseValue;
        var top = name[(name.LastIndexOf('.') + 1)..];
        return RefuseByPolicy(name)
            ?? (ReservedTopLevels.Contains(top)
                ? NameResult.Failure($"ends in '.{top}', which is reserved: public CAs do not issue certificates for it", OwnAuthority)
            : top.Length == name.Length
                ? NameResult.Failure("has a single label: public CAs do not issue certificates for it", OwnAuthority)
            : null);
    }

    // Let's Encrypt's policy (Boulder). It rejects such a name every time, and every time counts against the rate limits.
    private static NameResult? RefuseByPolicy(string name)
    {
        if (name.Length > MaxNameLength)
        {
            return NameResult.Failure($"is longer than the {MaxNameLength} characters that public CAs accept", "Write a shorter name");
        }

        var labels = name.Split('.');
        if (labels.Length > MaxLabels)
        {
            return NameResult.Failure($"has more than the {MaxLabels} labels that public CAs accept", "Write a name with fewer labels");
        }

        return Array.Find(labels, label => label.Length > 3 && label[2..4] == "--" && !UnicodeNames.IsALabel(label)) is { } bad
            ? NameResult.Failure(
                $"has the label '{bad}', which is not a valid A-label but has two hyphens after the second character: public CAs reject it",
                "Write another name, or the name in Unicode")
            : null;
    }
}
