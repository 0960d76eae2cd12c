using System.Collections.Concurrent;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>Does what is due for one certificate: decides by the policy, acts, and says what is planned next. Whoever waits for an outcome is answered on every path.</summary>
internal sealed class CertificateWorker(
    CertificateCatalog catalog,
    ExactSets exactSets,
    ConfigurationSource configuration,
    IssuanceStatus issuance,
    AuthorityChoice authorities,
    AccountHolds holds,
    OrderRunner orders,
    Abandonment abandonment,
    MaintenanceStep maintenance,
    CertificatePlanner planner,
    CertificateCommitter committer,
    CertificateExporter exporter,
    FailureRecorder failures,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateWorker> logger)
{
    private static readonly TimeSpan AfterDefect = TimeSpan.FromMinutes(10);

    // What was said once need not be said at each question for renewal information.
    private readonly ConcurrentDictionary<string, DateTimeOffset> _heldBack = new(StringComparer.Ordinal);

    /// <returns>What is planned next; <see langword="null"/> when nothing is, unless somebody asks.</returns>
    public async Task<PlannedWork?> WorkAsync(string id, WorkLane lane, CancellationToken stopping, CancellationToken abort)
    {
        if (catalog.Find(id) is not { } certificate || stopping.IsCancellationRequested)
        {
            return null;
        }

        try
        {
            if (catalog.HasUnread && exactSets.AnyUnread(certificate))
            {
                return CertificatePlans.At(time.GetUtcNow() + settings.LeasePoll, certificate);
            }

            await committer.SaveAgainAsync(certificate, abort);
            await ExportAsync(certificate, abort);
            if (issuance.ReasonNotToOrder is { } reason)
            {
                certificate.Answer(new InvalidOperationException(reason));
                return planner.Plan(certificate);
            }

            return await ActAsync(certificate, lane, stopping, abort);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return null;
        }
        catch (Exception exception)
        {
            logger.WorkFailed(id, exception);
            certificate.Answer(exception);
            return CertificatePlans.Maintenance(time.GetUtcNow() + AfterDefect);
        }
    }

    // Here, beside right after an order: another instance may have obtained it.
    private Task ExportAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
        => certificate.Current is { } current ? exporter.ExportAsync(certificate.Id, current.Record, cancellationToken) : Task.CompletedTask;

    private async Task<PlannedWork?> ActAsync(ManagedCertificate certificate, WorkLane lane, CancellationToken stopping, CancellationToken abort)
    {
        var now = time.GetUtcNow();
        AnswerWhatIsThere(certificate, now);
        if (planner.Plan(certificate, now) is not { } plan)
        {
            return null;
        }

        // What has come to be something else since it was planned waits in its own lane, at its own pace.
        if (plan.Due > now || plan.Lane != lane)
        {
            return plan;
        }

        if (lane == WorkLane.Maintenance)
        {
            if (await maintenance.RunAsync(certificate, now, stopping, abort) is { } wait)
            {
                return CertificatePlans.Maintenance(time.GetUtcNow() + wait);
            }
        }
        else if (await OrderAsync(certificate, now, stopping, abort) is { } again)
        {
            return CertificatePlans.At(again, certificate);
        }

        return stopping.IsCancellationRequested ? null : Next(certificate);
    }

    /// <returns>When to try again although nothing was tried; <see langword="null"/> after an attempt.</returns>
    private async Task<DateTimeOffset?> OrderAsync(ManagedCertificate certificate, DateTimeOffset now, CancellationToken stopping, CancellationToken abort)
    {
        var snapshot = configuration.Current;
        var authority = await ChooseAsync(certificate, snapshot, now, abort);
        if (AuthorityChoice.Blocked(authority, certificate) is { } block)
        {
            if (certificate is { Request.IsForced: true, Current: not null, State.State: CertificateState.Valid })
            {
                // Who asked for it is told, and has it once the authority accepts the account again.
                certificate.State = certificate.State with { State = CertificateState.RenewalDue };
            }

            certificate.Answer(new CertificateException(certificate.Id, failures.ShowBlocked(certificate, authority, block)));
            return block.NextAttempt;
        }

        if (AuthorityChoice.RetryAfter(authority, certificate, certificate.State, now) is { } until)
        {
            certificate.Answer(new CertificateException(certificate.Id, LeftAlone(certificate, authority, until, now)));
            return until;
        }

        // A person who asks for it takes it up again.
        if (certificate.Request is not { IsForced: true } && await TryGiveUpAsync(certificate, stopping, abort))
        {
            return null;
        }

        if (certificate.Current is null && authority.Health.TryBeginNewName(now) is { } later)
        {
            return later;
        }

        return await orders.RunAsync(certificate, authority, snapshot, stopping, abort);
    }

    // One whose account is held as it turns out may give way to another.
    private async Task<CertificateAuthority> ChooseAsync(ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (certificate.Request is { IsForced: true })
        {
            // A person who asks may have put right what was refused.
            foreach (var specification in snapshot.Authorities)
            {
                authorities.Get(specification).Blocks.TrySoon();
            }
        }

        CertificateAuthority authority;
        do
        {
            authority = authorities.ForOrder(certificate, snapshot, now);
        }
        while (await holds.RecallAsync(authority, cancellationToken));

        return authority;
    }

    private async Task<bool> TryGiveUpAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            return await abandonment.TryGiveUpAsync(certificate, stopping, abort);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            // The order finds out whether the store is there.
            return false;
        }
    }

    // Somebody who wants a certificate, not a new one, has it when it is there; and learns at once when the next attempt is far away.
    private static void AnswerWhatIsThere(ManagedCertificate certificate, DateTimeOffset now)
    {
        if (certificate.Request is null)
        {
            return;
        }

        var failure = ClockGuard.Effective(certificate.State.Failure, now);
        if (!certificate.Request.IsForced && certificate.Current is not null)
        {
            certificate.Answer(failure: null);
        }
        else if (failure?.NextAttempt > now && !certificate.Request.IsForced)
        {
            certificate.Answer(new CertificateException(certificate.Id, failure));
        }
    }

    private PlannedWork? Next(ManagedCertificate certificate)
    {
        var plan = planner.Plan(certificate);
        if (plan is { Lane: not WorkLane.Maintenance } order)
        {
            logger.NextOrderPlanned(certificate.Id, order.Due);
        }

        SayIfHeldBack(certificate);

        return plan;
    }

    private void SayIfHeldBack(ManagedCertificate certificate)
    {
        var decision = planner.Decide(certificate, time.GetUtcNow());
        if (decision.HeldUntil is not { } until)
        {
            _heldBack.TryRemove(certificate.Id, out _);
        }
        else if (!_heldBack.TryGetValue(certificate.Id, out var said) || said != until)
        {
            _heldBack[certificate.Id] = until;
            logger.RenewalHeldBack(certificate.Id, decision.Reason == RenewalReason.RenewalInfo ? "the CA advises to renew now" : "little of its life is left", until);
        }
    }

    private static CertificateFailure LeftAlone(ManagedCertificate certificate, CertificateAuthority authority, DateTimeOffset until, DateTimeOffset now) => new()
    {
        Count = certificate.State.Failure?.Count ?? 0,
        ProblemType = certificate.State.Failure is { Cause: FailureCause.Authority } last ? last.ProblemType : null,
        Message = $"{authority.Specification.DisplayName} failed and is left alone until {until:u}. {certificate.State.Failure?.Message}".TrimEnd(),
        At = now,
        NextAttempt = until,
        Cause = FailureCause.Authority,
    };
}
