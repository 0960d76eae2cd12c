using System.Collections.Frozen;
using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

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
