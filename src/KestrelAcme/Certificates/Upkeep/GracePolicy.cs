using KestrelAcme.Certificates.Persistence;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>
/// Decides when what nothing refers to may go: two weeks after it was first found so, and not before it was found so in as many daily
/// rounds. The wall clock alone would not do: it may jump, and what was fresh a minute ago would be two weeks old. Pure.
/// </summary>
internal static class GracePolicy
{
    public static TimeSpan Grace { get; } = TimeSpan.FromDays(14);

    private const int Rounds = 14;

    // A process that is started again and again has its first round each time: those do not count.
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromHours(20);

    /// <summary>The mark after one more round.</summary>
    public static UnusedMark Mark(UnusedMark? known, DateTimeOffset now) => known switch
    {
        null => new UnusedMark(now, 1, now),

        // Noted by a clock that was ahead.
        { LastRound: var last } when last > now => known with { Since = known.Since < now ? known.Since : now, LastRound = now },
        { LastRound: var last } when now - last < BetweenRounds => known,
        _ => known with { Rounds = known.Rounds + 1, LastRound = now },
    };

    public static bool MayGo(UnusedMark mark, DateTimeOffset now) => now - mark.Since >= Grace && mark.Rounds >= Rounds;
}
