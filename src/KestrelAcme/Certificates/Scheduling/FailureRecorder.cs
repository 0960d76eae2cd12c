using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Counts a failed attempt against whoever is to blame, sets the time of the next, stores both and says so.</summary>
internal sealed class FailureRecorder(
    CertificateEventHub events, IssuanceSettings settings, JitterSource jitter, TimeProvider time, ILogger<FailureRecorder> logger)
{
    public async Task<CertificateFailure> RecordAsync(ManagedCertificate certificate, Authority authority, Exception exception, OrderJournal? journal, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var report = FailureClassifier.Classify(exception);
        var authorityFailures = report.Cause == FailureCause.Authority ? authority.Health.Failed(now) : 0;
        var failure = FailurePolicy.Next(certificate.State.Failure, report, authorityFailures, settings.Retries, now, jitter());
        if (FailureClassifier.IsOutage(exception))
        {
            // By the authority's own wait: that of the name may be a day, and is no other name's affair.
            authority.Health.OpenFor(now + FailurePolicy.Outage(report, authorityFailures, settings.Retries), now);
        }

        CertificateStateRecord Fail(CertificateStateRecord state) => state with
        {
            State = report.Cause == FailureCause.Operator ? CertificateState.Blocked : CertificateState.Waiting,
            Since = now,
            Failure = failure with { Settings = SettingsFingerprint.Of(certificate.Specification, authority.Specification) },
            Rehearse = state.Rehearse || (exception is OrderFailedException && authority.Specification.StagingTwin is not null),
            FailedChallengeTypes = Remember(state.FailedChallengeTypes, (exception as OrderFailedException)?.ChallengeType, certificate),
            AuthorityFailures = report.Cause == FailureCause.Authority ? Count(state.AuthorityFailures, authority.Specification.Id) : state.AuthorityFailures,
        };

        await ChangeAsync(certificate, journal, Fail, cancellationToken);
        Report(certificate, failure, exception, now);
        return failure;
    }

    private void Report(ManagedCertificate certificate, CertificateFailure failure, Exception exception, DateTimeOffset now)
    {
        var served = certificate.Current switch
        {
            null => "no certificate yet",
            var current when current.NotAfter <= now => $"the certificate that EXPIRED on {current.NotAfter:u}",
            var current => $"the certificate that is valid until {current.NotAfter:u}",
        };
        if (failure.Cause == FailureCause.Operator)
        {
            logger.CertificateBlocked(certificate.Id, failure.Message, served, failure.NextTry);
        }
        else
        {
            logger.CertificateFailed(certificate.Id, failure.Message, failure.Cause.ToString(), failure.NextTry, served);
        }

        logger.FailureDetail(certificate.Id, exception);
        events.Publish(
            CertificateEventKind.Failed,
            $"{certificate.Id}: {failure.Message} The next attempt is at {failure.NextTry:u}.",
            CertificateStatuses.Create(certificate, orders: true, now));
    }

    // When all of them have failed, the preference of the configuration holds again.
    private static IReadOnlyList<string>? Remember(IReadOnlyList<string>? failed, string? type, ManagedCertificate certificate)
    {
        if (type is null || failed?.Contains(type) == true)
        {
            return failed;
        }

        IReadOnlyList<string> all = [.. failed ?? [], type];
        return certificate.Specification.ChallengeTypes.All(all.Contains) ? null : all;
    }

    private static Dictionary<string, int> Count(IReadOnlyDictionary<string, int>? failures, string authority)
        => new(failures ?? new Dictionary<string, int>(), StringComparer.Ordinal) { [authority] = (failures?.GetValueOrDefault(authority) ?? 0) + 1 };

    // Without the lease, or when it was lost, the failure is remembered here; the next attempt writes it down.
    private async Task ChangeAsync(
        ManagedCertificate certificate, OrderJournal? journal, Func<CertificateStateRecord, CertificateStateRecord> change, CancellationToken cancellationToken)
    {
        try
        {
            if (journal is not null)
            {
                await journal.ChangeAsync(change, cancellationToken);
                return;
            }
        }
        catch (Exception exception) when (exception is LeaseLostException or OperationCanceledException)
        {
            logger.StateNotStored(certificate.Id, exception.Message);
            return;
        }

        certificate.State = change(certificate.State);
    }
}
