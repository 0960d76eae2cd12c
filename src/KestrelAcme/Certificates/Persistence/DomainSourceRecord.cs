namespace KestrelAcme.Certificates.Persistence;

/// <summary>The last good answer of one of the application's domain sources.</summary>
internal sealed record DomainSourceRecord
{
    public int Version { get; init; } = 1;

    public required IReadOnlyList<string> Names { get; init; }
}
