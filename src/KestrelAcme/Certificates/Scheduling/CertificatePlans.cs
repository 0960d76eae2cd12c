using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Turns a decision of the policy into planned work. Pure.</summary>
internal static class CertificatePlans
{
    public static PlannedWork From(RenewalDecision decision, ManagedCertificate certificate)
    {
        var lane = decision.Action != CertificateAction.Order ? WorkLane.Maintenance
            : decision.Reason == RenewalReason.Missing ? WorkLane.NewOrders
            : WorkLane.Renewals;

        // Without a certificate there is nothing that could lapse first: such orders keep the order in which they fell due.
        return new PlannedWork(decision.DueAt, lane, certificate.Current?.NotAfter ?? decision.DueAt) { IsFailing = IsFailing(certificate) };
    }

    /// <summary>Whether an order is due, as things stand.</summary>
    public static bool IsDue(ManagedCertificate certificate, DateTimeOffset now)
        => certificate.Request is { IsForced: true } || (certificate.Decide(renewalInfoOffered: false, now) is { Action: CertificateAction.Order } order && order.DueAt <= now);

    /// <summary>The same work at another time.</summary>
    public static PlannedWork At(DateTimeOffset due, ManagedCertificate certificate)
        => new(due, certificate.Current is null ? WorkLane.NewOrders : WorkLane.Renewals, certificate.Current?.NotAfter ?? due) { IsFailing = IsFailing(certificate) };

    /// <summary>Work that is no order.</summary>
    public static PlannedWork Maintenance(DateTimeOffset due) => new(due, WorkLane.Maintenance, due);

    // What an authority fails for all names alike says nothing about one of them, and a person who asks is not kept waiting.
    private static bool IsFailing(ManagedCertificate certificate) => certificate is { Failure.WasOutage: false, Request: not { IsForced: true } };
}
