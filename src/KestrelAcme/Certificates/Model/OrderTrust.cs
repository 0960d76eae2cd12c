using System.Collections.Immutable;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// What the answers to new orders say of the account. An authority answers 429 alike for a limit of one name, of one registered domain and of the whole account, so three unrelated families that
/// are refused in a row raise a doubt; but their owners may have brought that about by themselves. While there is a doubt, orders for new names go one at a time, as probes: at once if an order was
/// accepted lately, and at growing pauses as they are refused. The first that is accepted ends it. Renewals are never held: each that is refused holds only itself. Immutable and pure.
/// </summary>
internal sealed record OrderTrust
{
    /// <summary>How long a probe may take before another one is begun.</summary>
    private static readonly TimeSpan ProbeTime = TimeSpan.FromMinutes(1);

    // Less than this many names refused as "unauthorized" may be names that the account may not order.
    private const int NamesOfAnAccount = 3;
    private static readonly TimeSpan Lately = TimeSpan.FromDays(1);

    private ImmutableDictionary<string, DateTimeOffset> Limited { get; init; } = ImmutableDictionary.Create<string, DateTimeOffset>(StringComparer.Ordinal);

    private ImmutableHashSet<string> Forbidden { get; init; } = ImmutableHashSet.Create<string>(StringComparer.Ordinal);

    private DateTimeOffset? AcceptedAt { get; init; }

    private int RefusedProbes { get; init; }

    /// <summary>Whether the account may be at a limit.</summary>
    public bool InDoubt { get; private init; }

    /// <summary>Whether nothing is known yet.</summary>
    public bool IsUnknown => !InDoubt && AcceptedAt is null && Limited.IsEmpty && Forbidden.IsEmpty;

    /// <summary>When the next order for new names may go, while there is a doubt.</summary>
    public DateTimeOffset NextProbe { get; private init; }

    /// <summary>An order was accepted: the account is not at its limit, whatever the names before it were told.</summary>
    public static OrderTrust Accepted(DateTimeOffset now) => new() { AcceptedAt = now };

    /// <summary>An order was refused for a rate limit.</summary>
    /// <param name="family">What the name shares its limits with.</param>
    /// <param name="isProven">Whether the name was served well so far: what it is refused for is hardly its own doing.</param>
    /// <param name="asked">The wait that the authority asked for.</param>
    /// <param name="now">The present.</param>
    public OrderTrust Limit(string family, bool isProven, TimeSpan? asked, DateTimeOffset now)
    {
        var limited = Limited.RemoveRange(Limited.Where(l => l.Value <= now - RateLimitPolicy.Window || l.Value > now).Select(l => l.Key)).SetItem(family, now);
        if (!InDoubt && limited.Count < RateLimitPolicy.NamesOfAnAccount)
        {
            return this with { Limited = limited };
        }

        var hold = RateLimitPolicy.HoldOfAccount(asked);
        var refused = InDoubt ? RefusedProbes + 1 : RefusedProbes;
        var pause = isProven || !WasAcceptedLately(now) ? hold : Pause(refused, hold);
        var next = now + pause;
        return this with { Limited = limited, RefusedProbes = refused, InDoubt = true, NextProbe = next > NextProbe || !InDoubt ? next : NextProbe };
    }

    /// <summary>An order was refused as "unauthorized" although the account is valid and no profile was asked for.</summary>
    public OrderTrust Forbid(string name) => this with { Forbidden = Forbidden.Add(name) };

    /// <summary>Whether that concerns the account: no order was accepted lately, or several names were refused since the last one was.</summary>
    public bool IsForbidden(DateTimeOffset now) => Forbidden.Count >= NamesOfAnAccount || (Forbidden.Count > 0 && !WasAcceptedLately(now));

    /// <summary>When an order for new names may go; <see langword="null"/> for now.</summary>
    public DateTimeOffset? HeldUntil(DateTimeOffset now)
        => InDoubt && NextProbe > now && NextProbe <= now + RateLimitPolicy.Window ? NextProbe : null;

    /// <summary>An order for new names begins, which must not be held.</summary>
    public OrderTrust Begin(DateTimeOffset now) => InDoubt ? this with { NextProbe = now + ProbeTime } : this;

    /// <summary>Takes over a hold that another instance, or an earlier run, has noted.</summary>
    public OrderTrust Recall(DateTimeOffset until) => InDoubt && NextProbe >= until ? this : this with { InDoubt = true, NextProbe = until };

    private bool WasAcceptedLately(DateTimeOffset now) => AcceptedAt is { } at && at <= now && at > now - Lately;

    private static TimeSpan Pause(int refused, TimeSpan longest)
    {
        var pause = refused == 0 ? TimeSpan.Zero : ProbeTime * Math.Pow(2, Math.Min(refused - 1, 10));
        return pause < longest ? pause : longest;
    }
}
