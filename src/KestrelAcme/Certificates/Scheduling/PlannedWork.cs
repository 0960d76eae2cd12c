using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Something to do for a certificate.</summary>
/// <param name="Due">When; in the past means now.</param>
/// <param name="Lane">What kind of work it is.</param>
/// <param name="Urgency">Of the works that are due, the one with the earliest urgency goes first: the end of the certificate's life.</param>
internal readonly record struct PlannedWork(DateTimeOffset Due, WorkLane Lane, DateTimeOffset Urgency)
{
    /// <summary>What is done; anything but an order is done in <see cref="WorkLane.Maintenance"/>.</summary>
    public CertificateAction Action { get; init; }

    /// <summary>Whether it failed the last time.</summary>
    public bool IsFailing { get; init; }

    /// <summary>
    /// Whether it may hang or fail once more: it failed the last time, or its certificate has expired, which those of working names do not. Such works share half of the places, in the order in which
    /// they fell due: a name that fails again and again must not keep the others from theirs.
    /// </summary>
    public bool IsSuspect(DateTimeOffset now) => IsFailing || (Lane == WorkLane.Renewals && Urgency <= now);
}
