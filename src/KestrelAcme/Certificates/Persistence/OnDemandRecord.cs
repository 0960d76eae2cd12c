using System.Collections.Frozen;
using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>A name that clients asked for, as it is stored: the settings of its certificate, and when it was asked for.</summary>
internal sealed record OnDemandRecord
{
    public int Version { get; init; } = 1;

    /// <summary>The name whose certificate it is: a wildcard if names are mapped to one.</summary>
    public required string Name { get; init; }

    /// <summary>When a client asked for it first.</summary>
    public DateTimeOffset FirstAsked { get; init; }

    /// <summary>When a client asked for it last, to the day.</summary>
    public DateTimeOffset LastAsked { get; init; }

    /// <summary>All names of the certificate, if there are several.</summary>
    public IReadOnlyList<string>? Names { get; init; }

    public IReadOnlyList<string>? ChallengeTypes { get; init; }

    public IReadOnlyList<KeyAlgorithm>? KeyAlgorithms { get; init; }

    public string? Profile { get; init; }

    public string? PreferredChain { get; init; }

    public string? DirectoryUrl { get; init; }

    /// <summary>
    /// The names of the clients that were allowed last, if the certificate serves several: the permission is asked about these before a
    /// renewal.
    /// </summary>
    public IReadOnlyList<string>? AllowedNames { get; init; }

    /// <summary>When it was denied; <see langword="null"/> if it was not, or is allowed again.</summary>
    public DateTimeOffset? DeniedAt { get; init; }

    /// <summary>Since when, and in how many rounds, it was found that nobody asked for it for too long.</summary>
    public UnusedMark? Quiet { get; init; }

    /// <summary>Returns the record with the settings that a permission gave.</summary>
    public OnDemandRecord With(OnDemandCertificate? certificate) => this with
    {
        Names = certificate is { DomainNames.Count: > 1 } ? certificate.DomainNames : null,
        ChallengeTypes = certificate?.ChallengeTypes,
        KeyAlgorithms = certificate?.KeyAlgorithms,
        Profile = certificate?.Profile,
        PreferredChain = certificate?.PreferredChain,
        DirectoryUrl = certificate?.DirectoryUrl,
    };

    /// <summary>Whether another record of the same name has the same settings. The order of the names does not count.</summary>
    public bool HasSameSettingsAs(OnDemandRecord other)
        => new HashSet<string>(Names ?? [Name], StringComparer.Ordinal).SetEquals(other.Names ?? [other.Name])
            && Same(ChallengeTypes, other.ChallengeTypes) && Same(KeyAlgorithms, other.KeyAlgorithms)
            && Profile == other.Profile && PreferredChain == other.PreferredChain && DirectoryUrl == other.DirectoryUrl;

    private static bool Same<T>(IReadOnlyList<T>? one, IReadOnlyList<T>? other)
        => one is null || other is null ? one is null && other is null : one.SequenceEqual(other);
}

/// <summary>The stored form of an <see cref="OnDemandRecord"/>: JSON.</summary>
internal static class OnDemandFile
{
    public static byte[] Encode(OnDemandRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.OnDemandRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static OnDemandRecord Decode(ReadOnlySpan<byte> value)
        => StoredJson.Decode(value, PersistenceJsonContext.Default.OnDemandRecord);
}

/// <summary>How many names were new lately: by the minute and the hour, and by the day or ten minutes for domains and networks.</summary>
internal sealed record NewNameCounts
{
    public static IReadOnlyDictionary<long, int> None { get; } = FrozenDictionary<long, int>.Empty;

    public int Version { get; init; } = 1;

    public IReadOnlyDictionary<long, int> Minutes { get; init; } = None;

    public IReadOnlyDictionary<long, int> Hours { get; init; } = None;

    public IReadOnlyDictionary<string, IReadOnlyDictionary<long, int>> Domains { get; init; }
        = FrozenDictionary<string, IReadOnlyDictionary<long, int>>.Empty;

    public IReadOnlyDictionary<string, IReadOnlyDictionary<long, int>> Networks { get; init; }
        = FrozenDictionary<string, IReadOnlyDictionary<long, int>>.Empty;

    public byte[] Encode() => JsonSerializer.SerializeToUtf8Bytes(this, PersistenceJsonContext.Default.NewNameCounts);

    /// <exception cref="Model.DamagedValueException">The value is not such counts.</exception>
    public static NewNameCounts Decode(ReadOnlySpan<byte> value)
        => StoredJson.Decode(value, PersistenceJsonContext.Default.NewNameCounts);
}
