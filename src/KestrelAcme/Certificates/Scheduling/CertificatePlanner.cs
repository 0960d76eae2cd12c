using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Says what is planned for a certificate next: what the policy decides, where this instance orders, and as soon as this process has lived long enough.</summary>
internal sealed class CertificatePlanner(IssuanceStatus issuance, ConfigurationSource configuration, IssuanceSettings settings, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    /// <summary>What is planned for a certificate as things stand; <see langword="null"/> when nothing is.</summary>
    public PlannedWork? Plan(ManagedCertificate certificate) => Plan(certificate, time.GetUtcNow());

    public PlannedWork? Plan(ManagedCertificate certificate, DateTimeOffset now)
    {
        PlannedWork? plan = issuance.ReasonNotToOrder is not null ? null
            : certificate.Request is not null ? CertificatePlans.At(now, certificate)
            : CertificatePlans.From(Decide(certificate, now), certificate);
        if (plan is { Lane: not WorkLane.Maintenance } && Unsteady(certificate) is { } wait && plan.Value.Due < now + wait)
        {
            plan = CertificatePlans.At(now + wait, certificate);
        }

        if (plan is { Lane: not WorkLane.Maintenance } order && certificate is { Unstored: { } unstored, Request: not { IsForced: true } } && unstored.NotBefore(now) is var next && order.Due < next)
        {
            plan = CertificatePlans.At(next, certificate);
        }

        return certificate.Unsaved && !(plan?.Due < now + settings.SaveAgain) ? CertificatePlans.Maintenance(now + settings.SaveAgain) : plan;
    }

    /// <summary>What the policy decides for a certificate, whose issuer may be configured no longer.</summary>
    public RenewalDecision Decide(ManagedCertificate certificate, DateTimeOffset now)
    {
        var decision = certificate.Decide(HasIssuer(certificate), now);
        return certificate.Failure is { IsVisibleInDns: true } && decision.DueAt > now
            && RecordLooks.DueAt(certificate.Looks, settings.LongestRecordLook, now) is var look && look < decision.DueAt
            ? decision with { Action = CertificateAction.LookAtRecords, DueAt = look }
            : decision;
    }

    // A person who asks may know better.
    private TimeSpan? Unsteady(ManagedCertificate certificate)
        => certificate is { State.CutOff: true, Request: not { IsForced: true } } && settings.SteadyAfter - time.GetElapsedTime(_started) is { Ticks: > 0 } wait ? wait : null;

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
