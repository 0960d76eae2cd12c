
namespace KestrelAcme.Certificates.Model;

/// <summary>How often DNS was asked for the records that a failed certificate waits for, and when it is asked again: with growing pauses, and at once after a start. Pure.</summary>
internal sealed record RecordLooks(int Count, DateTimeOffset NextAt)
{
    /// <param name="looks">The looks of this process so far.</param>
    /// <param name="first">The first pause; it doubles.</param>
    /// <param name="longest">The longest pause.</param>
    /// <param name="now">The present.</param>
    public static RecordLooks Next(RecordLooks? looks, TimeSpan first, TimeSpan longest, DateTimeOffset now)
    {
        var count = looks?.Count ?? 0;
        var pause = first * Math.Pow(2, Math.Min(count, 20));
        return new RecordLooks(count + 1, now + (pause < longest ? pause : longest));
    }

    /// <summary>When to look; now, for a process that has not looked yet, or where the clock has gone back.</summary>
    public static DateTimeOffset DueAt(RecordLooks? looks, TimeSpan longest, DateTimeOffset now) => looks is null || looks.NextAt > now + longest ? now : looks.NextAt;
}
