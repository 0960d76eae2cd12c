using System.Collections.Immutable;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// What the responses to new orders say about the account. A CA returns 429 for the limit of a name, of a registered domain, and of the
/// whole account. So three unrelated domains that are refused in a row raise a doubt; but they may have reached limits of their own. While
/// there is a doubt, orders for new names are placed one at a time, as probes: at once if an order was accepted recently, and with growing
/// pauses as they are refused. The first accepted order ends the doubt. Renewals are never held back: each one that is refused delays only
/// itself. Immutable and pure.
/// </summary>
internal sealed record OrderTrust
{
    /// <summary>How long a probe may take before another one is begun.</summary>
    private static readonly TimeSpan ProbeTime = TimeSpan.FromMinutes(1);

    // If fewer names are refused as "unauthorized", the account may not be allowed to order these names.
    private const int NamesOfAnAccount = 3;
    private static readonly TimeSpan Lately = TimeSpan.FromDays(1);

    // Null if no name was limited, as at each start.
    private ImmutableDictionary<string, DateTimeOffset>? Limited { get; init; }

    private ImmutableHashSet<string> Forbidden { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    private DateTimeOffset? AcceptedAt { get; init; }

    private int RefusedProbes { get; init; }

    /// <summary>Whether the account may be at a limit.</summary>
    public bool InDoubt { get; private init; }

    /// <summary>Whether nothing is known yet.</summary>
    public bool IsUnknown => !InDoubt && AcceptedAt is null && Limited is not { IsEmpty: false } && Forbidden.IsEmpty;

    /// <summary>The time of the next order for new names, while there is a doubt.</summary>
    public DateTimeOffset NextProbe { get; private init; }

    /// <summary>Records an accepted order: the account is not at its limit, whatever the CA told earlier names.</summary>
    public static OrderTrust Accepted(DateTimeOffset now) => new() { AcceptedAt = now };

    /// <summary>Records an order that was refused because of a rate limit.</summary>
    /// <param name="family">The part of the name that determines its limits.</param>
    /// <param name="isProven">Whether the name has a certificate, so that the refusal is hardly its own fault.</param>
    /// <param name="asked">The wait that the CA asked for.</param>
    /// <param name="now">The current time.</param>
    public OrderTrust Limit(string family, bool isProven, TimeSpan? asked, DateTimeOffset now)
    {
        var known = Limited ?? ImmutableDictionary.Create<string, DateTimeOffset>(StringComparer.Ordinal);
        var outdated = known.Where(l => l.Value <= now - RateLimitPolicy.Window || l.Value > now).Select(l => l.Key);
        var limited = known.RemoveRange(outdated).SetItem(family, now);
        if (!InDoubt && limited.Count < RateLimitPolicy.NamesOfAnAccount)
        {
            return this with { Limited = limited };
        }

        var hold = RateLimitPolicy.HoldOfAccount(asked);
        var refused = InDoubt ? RefusedProbes + 1 : RefusedProbes;
        var pause = isProven || !WasAcceptedLately(now) ? hold : Pause(refused, hold);
        var next = now + pause;
        return this with
        {
            Limited = limited,
            RefusedProbes = refused,
            InDoubt = true,
            NextProbe = next > NextProbe || !InDoubt ? next : NextProbe,
        };
    }

    /// <summary>Records an order that was refused as "unauthorized" although the account is valid and no profile was requested.</summary>
    public OrderTrust Forbid(string name) => this with { Forbidden = Forbidden.Add(name) };

    /// <summary>
    /// Whether that concerns the account: no order was accepted recently, or several names were refused since the last accepted one.
    /// </summary>
    public bool IsForbidden(DateTimeOffset now) => Forbidden.Count >= NamesOfAnAccount || (Forbidden.Count > 0 && !WasAcceptedLately(now));

    /// <summary>Returns the time at which an order for new names may be placed; <see langword="null"/> for now.</summary>
    public DateTimeOffset? HeldUntil(DateTimeOffset now)
        => InDoubt && NextProbe > now && NextProbe <= now + RateLimitPolicy.Window ? NextProbe : null;

    /// <summary>Records the start of an order for new names, which must not be held back.</summary>
    public OrderTrust Begin(DateTimeOffset now) => InDoubt ? this with { NextProbe = now + ProbeTime } : this;

    /// <summary>Takes over a hold that another instance or an earlier run recorded.</summary>
    public OrderTrust Recall(DateTimeOffset until)
        => InDoubt && NextProbe >= until ? this : this with { InDoubt = true, NextProbe = until };

    private bool WasAcceptedLately(DateTimeOffset now) => AcceptedAt is { } at && at <= now && at > now - Lately;

    private static TimeSpan Pause(int refused, TimeSpan longest)
    {
        var pause = refused == 0 ? TimeSpan.Zero : ProbeTime * Math.Pow(2, Math.Min(refused - 1, 10));
        return pause < longest ? pause : longest;
    }
}
