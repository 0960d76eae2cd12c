using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Challenges.Routing;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// Decides whether a change of the addresses of a certificate's names brings an attempt forward, after validations have failed for where
/// they lead. Answers that rotate must not use up validations: it takes a set of addresses that was never seen since the failures began,
/// that two looks in a row show, and it happens a few times a day. Pure.
/// </summary>
internal static class AddressWatch
{
    /// <summary>How many attempts are brought forward within a day.</summary>
    public const int MostInADay = 3;

    /// <summary>How many sets are remembered. A certificate whose names show more of them is not watched any more.</summary>
    public const int MostSets = 128;

    /// <summary>How many names of a certificate are watched.</summary>
    public const int MostNames = 32;

    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    /// <summary>What is remembered after another failure.</summary>
    public static SeenAddresses AfterFailure(SeenAddresses? previous) => (previous ?? new SeenAddresses()) with { AwaitsLook = true };

    /// <summary>Whether a change may bring an attempt forward.</summary>
    public static bool MayBringForward(SeenAddresses seen, DateTimeOffset now)
        => seen.Sets.Count < MostSets && Recent(seen, now).Count < MostInADay;

    /// <summary>Compares a look with all before it.</summary>
    /// <param name="seen">What was seen before.</param>
    /// <param name="looks">The looks of this process.</param>
    /// <param name="sights">What DNS shows.</param>
    /// <returns>The new sets, and those of them that the look before showed too.</returns>
    public static (IReadOnlyList<string> New, IReadOnlyList<string> Steady) Judge(
        SeenAddresses seen, RecordLooks? looks, IEnumerable<NameAddresses> sights)
    {
        string[] fresh = [.. MarksOf(sights).Except(seen.Sets).Except(looks?.Unsteady ?? [])];
        return (fresh, [.. fresh.Intersect(looks?.Changed ?? [])]);
    }

    /// <summary>Remembers the sets of a look.</summary>
    public static SeenAddresses Remember(SeenAddresses seen, IEnumerable<NameAddresses> sights, RecordLooks? looks)
        => seen with { AwaitsLook = false, Sets = [.. seen.Sets.Union(looks?.Unsteady ?? []).Union(MarksOf(sights)).Take(MostSets)] };

    /// <summary>Notes that an attempt is brought forward.</summary>
    public static SeenAddresses BringForward(SeenAddresses seen, DateTimeOffset now)
        => seen with { BroughtForward = [.. Recent(seen, now), now] };

    // A name without addresses is not repaired.
    private static IEnumerable<string> MarksOf(IEnumerable<NameAddresses> sights)
        => sights.Where(s => s.Addresses is { Count: > 0 }).Select(MarkOf);

    private static string MarkOf(NameAddresses sight)
    {
        var addresses = sight.Addresses!.Select(a => a.ToString()).Distinct().Order(StringComparer.Ordinal);
        var text = $"{sight.Name} {string.Join(' ', addresses)}";
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
    }

    // What a clock noted that was far ahead, or far behind, counts for nothing.
    private static List<DateTimeOffset> Recent(SeenAddresses seen, DateTimeOffset now)
        => [.. seen.BroughtForward.Where(at => (now - at).Duration() < Day)];
}

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
