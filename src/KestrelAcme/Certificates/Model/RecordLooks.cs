
namespace KestrelAcme.Certificates.Model;

/// <summary>
/// How often DNS was checked for the records that a failed certificate waits for, and the time of the next check: with growing pauses, and
/// at once after a restart. Pure.
/// </summary>
internal sealed record RecordLooks(int Count, DateTimeOffset NextAt)
{
    /// <summary>Marks of the addresses that were new at the last look.</summary>
    public IReadOnlyList<string> Changed { get; init; } = [];

    /// <summary>Marks of the addresses that were new at a look and gone at the next.</summary>
    public IReadOnlyList<string> Unsteady { get; init; } = [];

    /// <param name="looks">The checks of this process so far.</param>
    /// <param name="first">The first pause, which doubles with each check.</param>
    /// <param name="longest">The longest pause.</param>
    /// <param name="now">The current time.</param>
    public static RecordLooks Next(RecordLooks? looks, TimeSpan first, TimeSpan longest, DateTimeOffset now)
    {
        var count = looks?.Count ?? 0;
        var pause = first * Math.Pow(2, Math.Min(count, 20));
        return (looks ?? new RecordLooks(0, now)) with { Count = count + 1, NextAt = now + (pause < longest ? pause : longest) };
    }

    /// <summary>Returns the time of the next check; now, if this process has not checked yet, or if the clock went back.</summary>
    public static DateTimeOffset DueAt(RecordLooks? looks, TimeSpan longest, DateTimeOffset now)
        => looks is null || looks.NextAt > now + longest ? now : looks.NextAt;
}
