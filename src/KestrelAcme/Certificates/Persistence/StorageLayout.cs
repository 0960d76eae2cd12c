using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Protection;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The keys of all values and leases in the store.</summary>
internal static class StorageLayout
{
    public const string CertificatesPrefix = "certificates/";
    public const string StatesPrefix = "states/";
    public const string AccountsPrefix = "accounts/";
    public const string RevokedPrefix = "revoked/";
    public const string RevocationListsPrefix = "revocation-lists/";

    public const string IdentityPrefix = "store/";

    /// <summary>A random ID, which tells a store that was emptied from a new one.</summary>
    public const string Identity = IdentityPrefix + "identity.json";

    /// <summary>A record for each instance that writes back what it has in memory, because the store was emptied.</summary>
    public const string FillingPrefix = IdentityPrefix + "filling/";

    /// <summary>The lease that is held while <see cref="Identity"/> is made or changed.</summary>
    public const string IdentityLease = "store";

    public const string Pace = "pace/new-orders.json";

    public const string DomainsPrefix = "domains/";
    public const string Housekeeping = "housekeeping/unused.json";

    /// <summary>
    /// A marker that exists as long as the store remembers that names were added. A store without names and without the marker was emptied.
    /// No ID begins with it.
    /// </summary>
    public const string DomainsMark = DomainsPrefix + "+kept";

    /// <summary>The values with private keys, except those of DNS providers.</summary>
    public static IReadOnlyList<SecretPlace> SecretPlaces { get; } =
    [
        new(CertificatesPrefix, SecretFormat.Pem),
        new(StatesPrefix, SecretFormat.Json),
        new(AccountsPrefix, SecretFormat.Pem),
        new(RevokedPrefix, SecretFormat.Pem),
        new(StorageDamage.LongKeysPrefix, SecretFormat.Pem),
    ];

    /// <summary>The names that clients asked for, each with its settings.</summary>
    public const string OnDemandPrefix = "on-demand/";

    /// <summary>A marker, as <see cref="DomainsMark"/>: without it, the records of names on demand were not deleted one by one.</summary>
    public const string OnDemandMark = OnDemandPrefix + "+kept";

    /// <summary>How many names were new lately.</summary>
    public const string OnDemandBudget = "pace/on-demand.json";

    /// <summary>The lease that is held while a name becomes new.</summary>
    public const string OnDemandLease = "on-demand";

    public static string Filling(string instance) => FillingPrefix + instance;

    public static string OnDemand(CertificateIdentifier name)
        => $"{OnDemandPrefix}{CertificateId.Of([name], KeyAlgorithm.EcdsaP256)}";

    public static string Domain(CertificateIdentifier name) => $"{DomainsPrefix}{CertificateId.Of([name], KeyAlgorithm.EcdsaP256)}";

    /// <summary>
    /// Returns the name that a key stands for; <see langword="null"/> if the key does not contain all of it and the value must be read.
    /// </summary>
    public static CertificateIdentifier? DomainOf(string key)
    {
        var segment = key[DomainsPrefix.Length..];
        if (!segment.Contains('.', StringComparison.Ordinal))
        {
            // An IPv6 address is written with hyphens, as a DNS name could be.
            return null;
        }

        var name = segment.StartsWith("_.", StringComparison.Ordinal) ? $"*{segment[1..]}" : segment;
        return DomainNameParser.Parse(name) is { IsSuccess: true, Identifier: var identifier } && Domain(identifier) == key
            ? identifier
            : null;
    }

    public static string Certificate(string id) => $"{CertificatesPrefix}{id}.pem";

    /// <summary>Returns the ID in the key of a certificate or a state.</summary>
    public static string IdOf(string key) => Path.GetFileNameWithoutExtension(key[(key.IndexOf('/', StringComparison.Ordinal) + 1)..]);

    public static string DomainSource(string slug) => $"domain-sources/{slug}.json";

    public static string State(string id) => $"{StatesPrefix}{id}.json";

    public static string Account(string authority) => $"{AccountsPrefix}{authority}.pem";

    /// <summary>The copy of a revoked certificate, whose key is never used again.</summary>
    public static string Revoked(string id, string serialNumber) => $"{RevokedPrefix}{id}-{serialNumber.ToLowerInvariant()}.pem";

    public static string RevocationList(Uri url, string issuerKey)
        => $"{RevocationListsPrefix}{Hash($"{url.AbsoluteUri} {issuerKey}")}.json";

    /// <summary>The time until which the account at a CA is held.</summary>
    public static string AccountHold(Uri directoryUrl) => $"pace/held-{Hash(directoryUrl.AbsoluteUri)}.json";

    /// <summary>The account or the profiles that a CA refuses, whatever the names are.</summary>
    public static string AccountBlocks(Uri directoryUrl) => $"pace/blocked-{Hash(directoryUrl.AbsoluteUri)}.json";

    /// <summary>The lease that is held while values of <see cref="Pace"/> change.</summary>
    public const string PaceLease = "pace";

    /// <summary>The lease of the instance that encrypts stored keys again.</summary>
    public const string KeysLease = "key-protection";

    /// <summary>The lease of the instance that tidies up.</summary>
    public const string HousekeepingLease = "housekeeping";

    public static string OrderLease(string nameSet) => $"orders/{nameSet}";

    /// <summary>The lease that is held while a name is validated in a way that two orders cannot use at the same time.</summary>
    public static string ValidationLease(string name) => $"validations/{Hash(name)}";

    public static string AccountLease(string authority) => $"accounts/{authority}";

    private static string Hash(string text) => StorageKey.Hash(text)[..32];
}
