using System.Text.Json.Serialization;
using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>The stored note of a record while it exists, with what is needed to delete it after a crash.</summary>
internal sealed record RecordEntry
{
    // An order lasts at most half an hour, and the CA may query its records for a moment longer.
    private static readonly TimeSpan LongestUse = TimeSpan.FromMinutes(40);

    public required string Zone { get; init; }

    public required string Name { get; init; }

    public required string ChallengeName { get; init; }

    public required string Value { get; init; }

    /// <summary>
    /// The key authorization of the challenge, of which <see cref="Value"/> is the digest. It proves that the value was made for a
    /// challenge: anyone who can write to the store can copy a value from DNS, but not find what it is the digest of.
    /// </summary>
    /// <value><see langword="null"/> if nothing proves it; the record is then not deleted.</value>
    public string? KeyAuthorization { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether the record is no longer needed but could not be deleted.</summary>
    public bool IsAbandoned { get; init; }

    public static RecordEntry Of(DnsTxtRecord record, DateTimeOffset now)
        => new()
        {
            Zone = record.Zone,
            Name = record.Name,
            ChallengeName = record.ChallengeName,
            Value = record.Value,
            KeyAuthorization = record.KeyAuthorization,
            CreatedAt = now,
        };

    /// <summary>
    /// Whether the order of the record may still be in progress, because its process may have ended while the CA was validating. A time
    /// stamp from a clock that is far ahead is ignored.
    /// </summary>
    public bool MayBeNeeded(DateTimeOffset now) => !IsAbandoned && (now - CreatedAt).Duration() < LongestUse;

    /// <summary>
    /// Returns why this cannot be a note for a challenge's record: its key, location or value is wrong. <see langword="null"/> if it can.
    /// </summary>
    public string? WhyForeign(string key)
    {
        if (Zone is null || Name is null || ChallengeName is null || Value is null)
        {
            return "A part of it is missing.";
        }

        var owner = RecordKeys.OwnerOf(key);
        if (!RecordNamePolicy.IsOfDigest(Value))
        {
            return "Its value is not that of a challenge.";
        }

        if (!RecordNamePolicy.IsOfChallenge(ChallengeName) || !RecordNamePolicy.IsPlain(Name) || !RecordNamePolicy.IsPlain(Zone))
        {
            return "Its name is not that of a challenge.";
        }

        if (!RecordNamePolicy.IsAtOrBelow(Name, Zone))
        {
            return "Its name is not in its zone.";
        }

        if (KeyAuthorization is not null && DnsChallengeNames.Value(KeyAuthorization) != Value)
        {
            return "Its value is not the digest of its key authorization.";
        }

        return key == RecordKeys.Entry(ToRecord(), owner) && Guid.TryParseExact(owner, "N", out _)
            ? null
            : "Its key is not the one for this record.";
    }

    public DnsTxtRecord ToRecord() => new()
    {
        Zone = Zone,
        Name = Name,
        ChallengeName = ChallengeName,
        Value = Value,
        KeyAuthorization = KeyAuthorization,
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(RecordEntry))]
internal sealed partial class RecordJsonContext : JsonSerializerContext;

/// <summary>The storage keys of records, their owners and the locks of their names. Pure.</summary>
internal static class RecordKeys
{
    /// <summary>Contains a folder for each value of each name, and in it a key for each instance that needs the value.</summary>
    public const string RecordsPrefix = "challenges/dns-01/records/";

    /// <summary>
    /// The timeout of the store for changes of records. Challenges work without the store, and a clean-up has 30 seconds: for the lock of
    /// the name, for the notes of others, and for the provider, which matters most.
    /// </summary>
    public static readonly TimeSpan StoreTimeout = TimeSpan.FromSeconds(8);

    public static string Folder(DnsTxtRecord record) => $"{RecordsPrefix}{StorageKey.Hash($"{record.Name} {record.Value}")}/";

    public static string Entry(DnsTxtRecord record, string owner) => Folder(record) + owner;

    public static string OwnerOf(string entryKey) => entryKey[(entryKey.LastIndexOf('/') + 1)..];

    public static string OwnerLease(string owner) => $"challenges/dns-01/owners/{owner}";

    public static string NameLease(string name) => $"challenges/dns-01/names/{StorageKey.Hash(name)}";
}
