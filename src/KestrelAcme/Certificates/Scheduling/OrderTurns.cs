using System.Runtime.CompilerServices;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Spares the store of a fleet: of the instances that know of each other, one is the first for each certificate, another one for the next,
/// so that they share the work. It renews on time. The others look at the lease only if the certificate was not renewed meanwhile, one
/// after the other. An instance that is alone, or knows of no others yet, never waits.
/// </summary>
/// <remarks>
/// Nothing depends on what instances know of each other but the number of operations: the lease decides who orders. Only renewals wait, and
/// only those that can. What is missing, was revoked or was begun is ordered by anyone at once. Safe for concurrent use.
/// </remarks>
internal sealed class OrderTurns(Replicas replicas, IssuanceSettings settings)
{
    private readonly ConditionalWeakTable<ManagedCertificate, Turn> _turns = [];

    /// <summary>Raised when instances have come or gone: others may be first now.</summary>
    public event Action? Changed
    {
        add => replicas.Places.Changed += value;
        remove => replicas.Places.Changed -= value;
    }

    /// <summary>Returns when this instance makes an order that is due by a decision.</summary>
    public DateTimeOffset DueAt(ManagedCertificate certificate, RenewalDecision decision, DateTimeOffset now)
    {
        var place = Place(certificate);
        if (place.Before == 0 || certificate.Current is not { } current
            || decision.Reason is not (RenewalReason.Lifetime or RenewalReason.RenewalInfo or RenewalReason.Deadline))
        {
            return decision.DueAt;
        }

        // What has been due for long, as after an outage, becomes due for all at once: the turns begin when it is first seen.
        if (!_turns.TryGetValue(certificate, out var turn) || turn.Serial != current.SerialNumber || turn.Due != decision.DueAt)
        {
            turn = new Turn(current.SerialNumber, decision.DueAt, decision.DueAt > now ? decision.DueAt : now);
            _turns.AddOrUpdate(certificate, turn);
        }

        return turn.Begins + OrderTurnPolicy.Wait(place, settings.OrderTurn, current.NotAfter - turn.Begins);
    }

    /// <summary>Returns how long to wait before this instance looks again at the lease that another one holds.</summary>
    public TimeSpan UntilNextLook(ManagedCertificate certificate, DateTimeOffset now)
    {
        var place = Place(certificate);
        return certificate.Request is not null
            ? settings.LeasePoll
            : OrderTurnPolicy.UntilNextLook(place, settings.LeasePoll, settings.OrderTurn, certificate.Current?.NotAfter - now);
    }

    // An instance whose attempt failed may be the reason, such as one without a way to the CA: the next attempt is another one's.
    private PlaceInFleet Place(ManagedCertificate certificate)
    {
        var place = replicas.Places.Of(certificate.Id);
        return certificate.FailedHere ? place with { Before = place.Others + place.Before } : place;
    }

    /// <summary>When the turns for a renewal began.</summary>
    private sealed record Turn(string Serial, DateTimeOffset Due, DateTimeOffset Begins);
}

/// <summary>How long the instances of a fleet wait for each other. Pure.</summary>
internal static class OrderTurnPolicy
{
    /// <summary>So many turns at most: with the default, a certificate is due for every instance after 24 minutes.</summary>
    private const int MostTurns = 10;

    // While there is no certificate, check the lease at least once a minute.
    private const int MostSteps = 30;

    // With all its turns, an instance waits for no more than a quarter of what is left of a certificate's life.
    private const int LifeShare = 4 * (MostTurns + 2);

    /// <summary>Returns how long an instance lets others renew a certificate that is due.</summary>
    /// <param name="place">The instance's place.</param>
    /// <param name="turn">How long each one before it has.</param>
    /// <param name="lifeLeft">What is left of the certificate's life when it becomes due.</param>
    public static TimeSpan Wait(PlaceInFleet place, TimeSpan turn, TimeSpan lifeLeft)
    {
        // Those that share the last turns do not look at the same moment.
        var turns = place.Before < MostTurns
            ? place.Before
            : MostTurns + (double)(place.Before - MostTurns) / Math.Max(1, place.Others);
        return Turn(turn, lifeLeft) * Math.Min(turns, MostTurns + 2);
    }

    /// <summary>Returns how long to wait before an instance looks again at the lease that another one holds.</summary>
    /// <param name="place">The instance's place.</param>
    /// <param name="poll">How long the first instance waits.</param>
    /// <param name="turn">How long each one has.</param>
    /// <param name="lifeLeft">What is left of the certificate's life; <see langword="null"/> if there is none yet.</param>
    public static TimeSpan UntilNextLook(PlaceInFleet place, TimeSpan poll, TimeSpan turn, TimeSpan? lifeLeft)
    {
        if (place.Before == 0 || turn == TimeSpan.Zero)
        {
            return poll;
        }

        var step = poll * Math.Min(1 + place.Before, MostSteps);
        var longer = Turn(turn, lifeLeft ?? TimeSpan.Zero);
        return longer > step ? longer : step;
    }

    private static TimeSpan Turn(TimeSpan turn, TimeSpan lifeLeft)
    {
        var longest = lifeLeft > TimeSpan.Zero ? lifeLeft / LifeShare : TimeSpan.Zero;
        return turn < longest ? turn : longest;
    }
}
