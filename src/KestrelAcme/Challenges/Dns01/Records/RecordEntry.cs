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

    public DnsTxtRecord ToRecord() => new() { Zone = Zone, Name = Name, ChallengeName = ChallengeName, Value = Value };
}
