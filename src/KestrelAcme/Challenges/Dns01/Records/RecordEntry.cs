namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>What the store keeps of a record while it exists: enough to delete it after a crash.</summary>
internal sealed record RecordEntry
{
    public required string Zone { get; init; }

    public required string Name { get; init; }

    public required string ChallengeName { get; init; }

    public required string Value { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public static RecordEntry Of(DnsTxtRecord record, DateTimeOffset now)
        => new() { Zone = record.Zone, Name = record.Name, ChallengeName = record.ChallengeName, Value = record.Value, CreatedAt = now };

    public DnsTxtRecord ToRecord() => new() { Zone = Zone, Name = Name, ChallengeName = ChallengeName, Value = Value };
}
