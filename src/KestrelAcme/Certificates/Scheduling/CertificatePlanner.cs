using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Plans the next job of a certificate: what the policy decides, if this instance orders certificates, and once this process has run long
/// enough.
/// </summary>
internal sealed class CertificatePlanner(
    IssuanceStatus issuance,
    ConfigurationSource configuration,
    OrderTurns turns,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificatePlanner> logger)
{
    private readonly long _started = time.GetTimestamp();

    // Logged once, not at each poll for renewal information.
    private readonly ConcurrentDictionary<string, DateTimeOffset> _heldBack = new(StringComparer.Ordinal);

    /// <summary>Returns the current plan for a certificate; <see langword="null"/> if there is none.</summary>
    public PlannedWork? Plan(ManagedCertificate certificate, DateTimeOffset now) => Plan(certificate, Decide(certificate, now), now);

    /// <summary>
    /// Returns the plan after an attempt or another job. Logs when the next order is due, and once if a renewal is held back.
    /// </summary>
    public PlannedWork? PlanNext(ManagedCertificate certificate)
    {
        var now = time.GetUtcNow();
        var decision = Decide(certificate, now);
        var plan = Plan(certificate, decision, now);
        if (plan is { Lane: not WorkLane.Maintenance } order)
        {
            logger.NextOrderPlanned(certificate.Id, order.Due);
        }

        if (decision.HeldUntil is not { } until)
        {
            _heldBack.TryRemove(certificate.Id, out _);
        }
        else if (!_heldBack.TryGetValue(certificate.Id, out var said) || said != until)
        {
            _heldBack[certificate.Id] = until;
            var reason = decision.Reason == RenewalReason.RenewalInfo ? "the CA advises to renew now" : "little of its life is left";
            logger.RenewalHeldBack(certificate.Id, reason, until);
        }

        return plan;
    }

    /// <summary>Returns the same job in a moment.</summary>
    public PlannedWork PlanSoon(ManagedCertificate certificate) => CertificatePlans.At(time.GetUtcNow() + settings.LeasePoll, certificate);

    /// <summary>
    /// Returns the same job at the time when another instance, which holds the lease now, should have finished. If it obtains the
    /// certificate, the store's notification replaces this plan.
    /// </summary>
    public PlannedWork PlanAfterOther(ManagedCertificate certificate)
    {
        var now = time.GetUtcNow();
        return CertificatePlans.At(now + turns.UntilNextLook(certificate, now), certificate);
    }

    private PlannedWork? Plan(ManagedCertificate certificate, RenewalDecision decision, DateTimeOffset now)
    {
        if (decision.Action == CertificateAction.Order)
        {
            decision = decision with { DueAt = turns.DueAt(certificate, decision, now) };
        }

        PlannedWork? plan = issuance.ReasonNotToOrder is not null ? null
            : certificate.Request is not null ? CertificatePlans.At(now, certificate)
            : CertificatePlans.From(decision, certificate);
        if (plan is { Lane: not WorkLane.Maintenance } && Unsteady(certificate) is { } wait && plan.Due < now + wait)
        {
            plan = CertificatePlans.At(now + wait, certificate);
        }

        if (plan is { Lane: not WorkLane.Maintenance } order
            && certificate is { Unstored: { } unstored, Request: not { IsForced: true } }
            && unstored.NotBefore(now) is var next && order.Due < next)
        {
            plan = CertificatePlans.At(next, certificate);
        }

        if (plan is { Lane: WorkLane.NewOrders or WorkLane.OnDemand } first && certificate.Request is not { IsForced: true }
            && issuance.NewOrdersHeldUntil is { } until && first.Due < until)
        {
            plan = CertificatePlans.At(until, certificate);
        }

        var saveAgain = now + settings.SaveAgain;
        return certificate.Unsaved && !(plan?.Due < saveAgain) ? CertificatePlans.Maintenance(saveAgain) : plan;
    }

    // Renewal information is polled only if the issuer is still configured.
    private RenewalDecision Decide(ManagedCertificate certificate, DateTimeOffset now)
    {
        var decision = certificate.Decide(HasIssuer(certificate), now);
        return certificate.Failure is { IsVisibleInDns: true } or { IsOfAddresses: true }
            && decision is { Action: CertificateAction.Order } && decision.DueAt > now
            && RecordLooks.DueAt(certificate.Looks, settings.LongestRecordLook, now) is var look && look < decision.DueAt
            ? decision with { Action = CertificateAction.LookAtRecords, DueAt = look }
            : decision;
    }

    // A forced request does not wait: the operator may know better.
    private TimeSpan? Unsteady(ManagedCertificate certificate)
        => certificate is { State.CutOff: true, Request: not { IsForced: true } }
            && settings.SteadyAfter - time.GetElapsedTime(_started) is { Ticks: > 0 } wait ? wait : null;

    private bool HasIssuer(ManagedCertificate certificate)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var authorities = configuration.Current.Authorities;
        for (var i = 0; issuer is not null && i < authorities.Count; i++)
        {
            if (authorities[i].DirectoryUrl == issuer)
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>Converts decisions of the policy to planned jobs. Pure.</summary>
internal static class CertificatePlans
{
    public static PlannedWork From(RenewalDecision decision, ManagedCertificate certificate)
    {
        var lane = decision.Action != CertificateAction.Order ? WorkLane.Maintenance
            : decision.Reason == RenewalReason.Missing ? NewLane(certificate)
            : WorkLane.Renewals;

        // Without a certificate nothing can expire: such orders keep the order in which they became due.
        return new PlannedWork(decision.DueAt, lane, certificate.Current?.NotAfter ?? decision.DueAt)
        {
            Action = decision.Action,
            IsFailing = IsFailing(certificate),
        };
    }

    /// <summary>Whether an order is still due, which is checked again under the lease with the stored state.</summary>
    public static bool IsDue(ManagedCertificate certificate, DateTimeOffset now)
        => certificate.Request is { IsForced: true }
            || (certificate.Decide(renewalInfoOffered: false, now) is { Action: CertificateAction.Order } order && order.DueAt <= now);

    /// <summary>Returns the same job at another time.</summary>
    public static PlannedWork At(DateTimeOffset due, ManagedCertificate certificate)
        => new(due, certificate.Current is null ? NewLane(certificate) : WorkLane.Renewals, certificate.Current?.NotAfter ?? due)
        {
            IsFailing = IsFailing(certificate),
        };

    /// <summary>Returns a job that is not an order.</summary>
    public static PlannedWork Maintenance(DateTimeOffset due)
        => new(due, WorkLane.Maintenance, due) { Action = CertificateAction.PollRenewalInfo };

    private static WorkLane NewLane(ManagedCertificate certificate)
        => certificate.Specification.IsOnDemand ? WorkLane.OnDemand : WorkLane.NewOrders;

    // An outage of the CA says nothing about this name, and a forced request does not wait.
    private static bool IsFailing(ManagedCertificate certificate)
        => certificate is { Failure.WasOutage: false, Request: not { IsForced: true } };
}
