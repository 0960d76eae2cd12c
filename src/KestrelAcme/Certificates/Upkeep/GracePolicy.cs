using KestrelAcme.Certificates.Persistence;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>
/// Decides when an unused value may be removed: two weeks after it was first found unused, and only if as many daily rounds found it so.
/// The wall clock alone is not enough, because it may jump. Pure.
/// </summary>
internal static class GracePolicy
{
    public static TimeSpan Grace { get; } = TimeSpan.FromDays(14);

    private const int Rounds = 14;

    // A process that restarts again and again has its first round each time: those do not count.
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromHours(20);

    /// <summary>Returns the mark after another round.</summary>
    public static UnusedMark Mark(UnusedMark? known, DateTimeOffset now) => known switch
    {
        null => new UnusedMark(now, 1, now),

        // The mark comes from a clock that was ahead.
        { LastRound: var last } when last > now => known with { Since = known.Since < now ? known.Since : now, LastRound = now },
        { LastRound: var last } when now - last < BetweenRounds => known,
        _ => known with { Rounds = known.Rounds + 1, LastRound = now },
    };

    public static bool MayGo(UnusedMark mark, DateTimeOffset now) => now - mark.Since >= Grace && mark.Rounds >= Rounds;
}
