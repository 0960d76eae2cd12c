using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Counts a failed attempt against whoever is to blame, sets the time of the next, stores both and says so.</summary>
internal sealed class FailureRecorder(
    CertificateStore store, CertificateEventHub events, IssuanceSettings settings, JitterSource jitter, TimeProvider time, ILogger<FailureRecorder> logger)
{
    public async Task<CertificateFailure> RecordAsync(ManagedCertificate certificate, Authority authority, Exception exception, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var report = FailureClassifier.Classify(exception);
        var authorityFailures = report.Cause == FailureCause.Authority ? authority.Health.Failed(now) : 0;
        var failure = FailurePolicy.Next(certificate.State.Failure, report, authorityFailures, settings.Retries, now, jitter());
        if (FailureClassifier.IsOutage(exception))
        {
            authority.Health.OpenFor(failure.NextTry);
        }

        // What the journal stored meanwhile (the order that can be resumed) must survive.
        var stored = await ReadAsync(certificate, cancellationToken);
        certificate.State = stored with
        {
            State = report.Cause == FailureCause.Operator ? CertificateState.Blocked : CertificateState.Waiting,
            Since = now,
            Failure = failure,
            Rehearse = stored.Rehearse || (exception is OrderFailedException && authority.Specification.StagingTwin is not null),
            FailedChallengeTypes = Remember(stored.FailedChallengeTypes, (exception as OrderFailedException)?.ChallengeType, certificate),
            AuthorityFailures = report.Cause == FailureCause.Authority ? Count(stored.AuthorityFailures, authority.Specification.Id) : stored.AuthorityFailures,
        };
        await StoreAsync(certificate, cancellationToken);
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

    private async Task<CertificateStateRecord> ReadAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            return await store.ReadStateAsync(certificate.Id, cancellationToken) ?? certificate.State;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            return certificate.State;
        }
    }

    private async Task StoreAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            await store.WriteStateAsync(certificate.Id, certificate.State, lease: null, cancellationToken);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            logger.StateNotStored(certificate.Id, exception.Message);
        }
    }
}
