using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// Does what is due for one certificate: decides once more by the policy, acts, and says what is planned next. Requests that wait for an
/// outcome are answered on every path.
/// </summary>
internal sealed class CertificateWorker(
    CertificateCatalog catalog,
    IssuanceStatus issuance,
    CertificatePlanner planner,
    OrderAdmission admissions,
    OrderRunner orders,
    MaintenanceStep maintenance,
    TimeProvider time,
    ILogger<CertificateWorker> logger)
{
    private static readonly TimeSpan AfterDefect = TimeSpan.FromMinutes(10);

    /// <returns>What is planned next; <see langword="null"/> if nothing is, unless the app asks.</returns>
    public async Task<PlannedWork?> WorkAsync(string id, WorkLane lane, CancellationToken stopping, CancellationToken abort)
    {
        if (catalog.Find(id) is not { } certificate || stopping.IsCancellationRequested)
        {
            return null;
        }

        try
        {
            if (IsAnyUnread(certificate))
            {
                return planner.PlanSoon(certificate);
            }

            await maintenance.KeepAsync(certificate, abort);
            AnswerWithoutOrder(certificate);

            var now = time.GetUtcNow();
            if (planner.Plan(certificate, now) is not { } plan)
            {
                return null;
            }

            // What has become other work since it was planned waits in its own lane, at its own pace.
            if (plan.Due > now || plan.Lane != lane)
            {
                return plan;
            }

            if (lane == WorkLane.Maintenance)
            {
                if (await maintenance.RunAsync(certificate, plan.Action, stopping, abort) is { } wait)
                {
                    return CertificatePlans.Maintenance(time.GetUtcNow() + wait.Time);
                }
            }
            else
            {
                var admission = await admissions.DecideAsync(certificate, stopping, abort);
                var end = admission.Authority is { } authority
                    ? await orders.RunAsync(certificate, authority, admission.Configuration, stopping, abort)
                    : new AttemptEnd(admission.Again);
                if (end.IsElsewhere)
                {
                    return planner.PlanAfterOther(certificate);
                }

                if (end.Again is { } at)
                {
                    return CertificatePlans.At(at, certificate);
                }
            }

            return stopping.IsCancellationRequested ? null : planner.PlanNext(certificate);
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

    // Whether one of the same names has not been read from the store yet, so that their common limits and orders are not known.
    private bool IsAnyUnread(ManagedCertificate certificate)
        => catalog.HasUnread && catalog.All.FindSharing(certificate).Any(c => !c.IsLoaded && c.HasSameNamesAs(certificate));

    // A request for a certificate, not for a new one, is answered at once if there is one, or if the next attempt is far away.
    private void AnswerWithoutOrder(ManagedCertificate certificate)
    {
        if (certificate.Request is not { } request)
        {
            return;
        }

        var now = time.GetUtcNow();
        if (issuance.ReasonNotToOrder is { } reason)
        {
            certificate.Answer(new InvalidOperationException(reason));
        }
        else if (!request.IsForced && certificate.Current?.NotAfter > now)
        {
            certificate.AnswerUnlessForced(failure: null);
        }
        else if (!request.IsForced && ClockGuard.Effective(certificate.State.Failure, now) is { } failure && failure.NextAttempt > now)
        {
            certificate.AnswerUnlessForced(new CertificateException(certificate.Id, failure.ToPublic(certificate.Hints)));
        }
    }
}

/// <summary>
/// What is done for a certificate between its orders: it is stored and exported, the authority is asked for renewal information, and DNS
/// for what the operator has to correct or for the names of an abandoned certificate.
/// </summary>
internal sealed class MaintenanceStep(
    AuthorityChoice authorities,
    RenewalInfoPoller renewalInfo,
    Abandonment abandonment,
    RecordWatch records,
    CertificateCommitter committer,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    ILogger<MaintenanceStep> logger)
{
    /// <summary>Stores again what could not be stored, and exports what is served: another instance may have obtained it.</summary>
    public async Task KeepAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        await committer.SaveAgainAsync(certificate, cancellationToken);
        await committer.ExportAsync(certificate, cancellationToken);
    }

    /// <returns>How long to wait before it is tried again; <see langword="null"/> if it was done.</returns>
    public async Task<Pause?> RunAsync(
        ManagedCertificate certificate, CertificateAction action, CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            return action switch
            {
                CertificateAction.LookForNames
                    => await abandonment.LookAgainAsync(certificate, stopping, abort) ? null : new Pause(settings.LeasePoll),
                CertificateAction.LookAtRecords
                    => await records.LookAgainAsync(certificate, stopping, abort) ? null : new Pause(settings.LeasePoll),
                _ => await PollAsync(certificate, stopping, abort),
            };
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            return new Pause(settings.StoreRetry);
        }
    }

    private async Task<Pause?> PollAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        return authorities.Issuer(certificate, configuration.Current) is not { } issuer ? null
            : renewalInfo.LeftAlone(issuer) is { } rest ? new Pause(rest)
            : await renewalInfo.PollAsync(certificate, issuer, stopping, abort);
    }
}
