namespace KestrelAcme.Certificates.Model;

/// <summary>Until when an authority wants no orders of an account. Stored.</summary>
internal sealed record AccountHold(DateTimeOffset Until)
{
    /// <summary>Whether it is a guess that holds orders for new names only.</summary>
    public bool NewNamesOnly { get; init; }

    public bool Holds(DateTimeOffset now) => ClockGuard.IsPlausibleWait(Until, now);
}
