namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>What the store keeps of a record while it exists: enough to delete it after a crash.</summary>
internal sealed record RecordEntry
{
    // An order lasts half an hour at most, and the authority may look at its records for a moment longer.
    private static readonly TimeSpan LongestUse = TimeSpan.FromMinutes(40);

    public required string Zone { get; init; }

    public required string Name { get; init; }

    public required string ChallengeName { get; init; }

    public required string Value { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Whether nobody needs the record any more, though it could not be deleted.</summary>
    public bool IsAbandoned { get; init; }

    public static RecordEntry Of(DnsTxtRecord record, DateTimeOffset now)
        => new() { Zone = record.Zone, Name = record.Name, ChallengeName = record.ChallengeName, Value = record.Value, CreatedAt = now };

    /// <summary>Whether the order that it was created for may still be going on: its process may have ended while the authority was looking. A time noted by a clock far ahead says nothing.</summary>
    public bool MayBeNeeded(DateTimeOffset now) => !IsAbandoned && (now - CreatedAt).Duration() < LongestUse;

    /// <summary>
    /// Why this cannot be a note of the journal, for a challenge's record: it would have another key, place or value. <see
    /// langword="null"/> when it can.
    /// </summary>
    public string? WhyForeign(string key)
    {
        if (Zone is null || Name is null || ChallengeName is null || Value is null)
        {
            return "A part of it is missing.";
        }

        var owner = RecordKeys.OwnerOf(key);
        return !RecordNamePolicy.IsOfDigest(Value) ? "Its value is not that of a challenge."
            : !RecordNamePolicy.IsOfChallenge(ChallengeName) || !RecordNamePolicy.IsPlain(Name) || !RecordNamePolicy.IsPlain(Zone)
                ? "Its name is not that of a challenge."
            : key != RecordKeys.Entry(ToRecord(), owner) || !Guid.TryParseExact(owner, "N", out _)
                ? "It is not where the journal keeps a note of this record."
            : null;
    }

    public DnsTxtRecord ToRecord() => new() { Zone = Zone, Name = Name, ChallengeName = ChallengeName, Value = Value };
}
