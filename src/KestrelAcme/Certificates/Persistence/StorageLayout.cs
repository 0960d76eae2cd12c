using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>Where things are in the store.</summary>
internal static class StorageLayout
{
    public const string CertificatesPrefix = "certificates/";
    public const string StatesPrefix = "states/";

    public const string Pace = "pace/new-orders.json";

    public const string DomainsPrefix = "domains/";
    public const string Housekeeping = "housekeeping/unused.json";

    /// <summary>There as long as the store remembers that names were added: without it, a store without names is one that was emptied. No id begins with it.</summary>
    public const string DomainsMark = DomainsPrefix + "+kept";

    public static string Domain(CertificateIdentifier name) => $"{DomainsPrefix}{CertificateId.Of([name], KeyAlgorithm.EcdsaP256)}";

    /// <summary>The name that a key stands for, where the key tells all of it; else <see langword="null"/>, and the value has to be read.</summary>
    public static string? DomainOf(string key)
    {
        var segment = key[DomainsPrefix.Length..];
        if (!segment.Contains('.', StringComparison.Ordinal))
        {
            // An IPv6 address is written with hyphens, as a name could be.
            return null;
        }

        var name = segment.StartsWith("_.", StringComparison.Ordinal) ? $"*{segment[1..]}" : segment;
        return DomainNameParser.Parse(name) is { IsSuccess: true, Identifier: var identifier } && Domain(identifier) == key ? identifier.Value : null;
    }

    public static string Certificate(string id) => $"{CertificatesPrefix}{id}.pem";

    /// <summary>The id in the key of a certificate or a state.</summary>
    public static string IdOf(string key) => Path.GetFileNameWithoutExtension(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    public static string DomainSource(string slug) => $"domain-sources/{slug}.json";

    public static string State(string id) => $"{StatesPrefix}{id}.json";

    public static string Account(string authority) => $"accounts/{authority}.pem";

    /// <summary>Where a revoked certificate is set aside; its key is never used again.</summary>
    public static string Revoked(string id, string serialNumber) => $"revoked/{id}-{serialNumber.ToLowerInvariant()}.pem";

    public static string RevocationList(Uri url, string issuerKey) => $"revocation-lists/{Hash($"{url.AbsoluteUri} {issuerKey}")}.json";

    /// <summary>Until when the account at an authority is held.</summary>
    public static string AccountHold(Uri directoryUrl) => $"pace/held-{Hash(directoryUrl.AbsoluteUri)}.json";

    /// <summary>What an authority refuses whatever the names: the account, or a profile.</summary>
    public static string AccountBlocks(Uri directoryUrl) => $"pace/blocked-{Hash(directoryUrl.AbsoluteUri)}.json";

    public static string OrderLease(string nameSet) => $"orders/{nameSet}";

    /// <summary>Held while a name is validated in a way that two orders cannot use at once.</summary>
    public static string ValidationLease(string name) => $"validations/{Hash(name)}";

    public static string AccountLease(string authority) => $"accounts/{authority}";

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 16));
}
