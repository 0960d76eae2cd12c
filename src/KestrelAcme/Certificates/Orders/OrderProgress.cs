using System.Collections.Concurrent;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Tells how orders go: in the log, in metrics, and as events to the application.</summary>
internal sealed class OrderProgress(
    CertificateEventHub events, AcmeHttpsMetrics metrics, TimeProvider time, ILogger<OrderProgress> logger, CallDoctor? doctor = null)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _recordsEnd = new(StringComparer.Ordinal);

    /// <summary>Starts to trace and measure an attempt.</summary>
    public OrderActivity Begin(ManagedCertificate certificate, AuthoritySpecification authority)
        => OrderActivities.StartOrder(certificate.Id, authority.DirectoryUrl, metrics);

    public void Started(ManagedCertificate certificate, AuthoritySpecification authority)
    {
        logger.OrderStarted(certificate.Id, authority.DirectoryUrl);
        Publish(certificate, CertificateEventKind.Started, $"Ordering a certificate for {certificate.Id} from {authority.DisplayName}.");
    }

    /// <summary>Another instance, or other work of this one, holds the lease.</summary>
    public void OrderedElsewhere(ManagedCertificate certificate) => logger.OrderedElsewhere(certificate.Id);

    /// <summary>The lease ended in the middle of an order.</summary>
    public void LeaseLost(ManagedCertificate certificate) => logger.OrderLeaseLost(certificate.Id);

    public void Changed(ManagedCertificate certificate, CertificateState from, CertificateState to)
    {
        if (from != to)
        {
            metrics.Entered(to.ToString());
            logger.StateChanged(certificate.Id, from.ToString(), to.ToString());
        }
    }

    public void AccountReady(ManagedCertificate certificate)
        => Publish(certificate, CertificateEventKind.AccountReady, "The account is ready.");

    public void OrderPlaced(ManagedCertificate certificate)
        => Publish(certificate, CertificateEventKind.OrderPlaced, $"The order for {certificate.Id} was placed.");

    public void ChallengePosted(ManagedCertificate certificate)
        => Publish(certificate, CertificateEventKind.ChallengePosted, $"Submitted a challenge of {certificate.Id} for validation.");

    public void AuthorizationValid(ManagedCertificate certificate)
        => Publish(certificate, CertificateEventKind.AuthorizationValid, $"The CA validated a name of {certificate.Id}.");

    public void Finalized(ManagedCertificate certificate)
        => Publish(certificate, CertificateEventKind.Finalized, $"The certificate request for {certificate.Id} was sent.");

    public void Obtained(ManagedCertificate certificate, bool isRenewal)
    {
        var current = certificate.Current!;
        logger.CertificateObtained(certificate.Id, current.SerialNumber, current.NotAfter);
        Publish(
            certificate,
            isRenewal ? CertificateEventKind.Renewed : CertificateEventKind.Obtained,
            $"Now serving certificate {current.SerialNumber} for {certificate.Id}, valid until {current.NotAfter:u}.");
        WarnIfRecordsEnd(certificate, current);
    }

    /// <summary>What was obtained is served, but could not be stored.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="nextOrder">No other one is ordered before this time.</param>
    public void NotStored(ManagedCertificate certificate, DateTimeOffset nextOrder)
        => logger.NoOrderWhileUnstored(certificate.Id, nextOrder);

    public void StateNotStored(ManagedCertificate certificate, Exception exception)
        => logger.StateNotStored(certificate.Id, exception.Message);

    /// <summary>A certificate of another instance, found in the store, is served.</summary>
    public void Adopted(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        logger.CertificateAdopted(certificate.Id, snapshot.SerialNumber);
        Publish(
            certificate,
            CertificateEventKind.Adopted,
            $"Now serving certificate {snapshot.SerialNumber} for {certificate.Id}, found in the store.");
    }

    public void Failed(ManagedCertificate certificate, FailureRecord failure, Exception exception)
    {
        var now = time.GetUtcNow();
        var served = certificate.Current switch
        {
            null => "no certificate yet",
            var current when current.NotAfter <= now => $"the certificate that EXPIRED on {current.NotAfter:u}",
            var current => $"the certificate that is valid until {current.NotAfter:u}",
        };
        if (failure.Cause == FailureCause.Operator)
        {
            var sooner = failure.IsVisibleInDns ? ", or as soon as DNS shows a change" : "";
            logger.CertificateBlocked(certificate.Id, failure.Message, failure.NextAttempt, sooner, served);
        }
        else
        {
            logger.CertificateFailed(certificate.Id, failure.Message, failure.Cause.ToString(), failure.NextAttempt, served);
        }

        logger.FailureDetail(certificate.Id, exception);
        PublishFailure(certificate, failure);
        if (doctor is not null && failure is { Count: 1, Cause: FailureCause.Name or FailureCause.Operator })
        {
            // The failure is stored and reported. What the doctor finds joins it as soon as it is known.
            _ = Task.Run(() => FollowUpAsync(doctor, certificate, failure), CancellationToken.None);
        }
    }

    /// <summary>The account, or the profile, is refused: no name is to blame.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="failure">What the certificate shows.</param>
    /// <param name="exception">The refusal; <see langword="null"/> if it was known before.</param>
    /// <param name="isNew">Whether the certificate has not shown it yet.</param>
    public void Blocked(ManagedCertificate certificate, FailureRecord failure, Exception? exception, bool isNew)
    {
        if (exception is not null)
        {
            logger.FailureDetail(certificate.Id, exception);
        }

        if (isNew)
        {
            PublishFailure(certificate, failure);
        }
    }

    private async Task FollowUpAsync(CallDoctor call, ManagedCertificate certificate, FailureRecord failure)
    {
        try
        {
            await call().FollowUpAsync(certificate, failure);
        }
        catch (Exception exception)
        {
            // There may be no server to examine, or the host may have been disposed of.
            logger.FailureDetail(certificate.Id, exception);
        }
    }

    // Once for each time: short-lived certificates are renewed often.
    private void WarnIfRecordsEnd(ManagedCertificate certificate, CertificateSnapshot current)
    {
        if (certificate.State.RecordsEnd is { } end
            && PersistRecord.EndsSoon(end, current.NotAfter, time.GetUtcNow())
            && !(_recordsEnd.TryGetValue(certificate.Id, out var known) && known == end))
        {
            _recordsEnd[certificate.Id] = end;
            logger.PersistRecordEnds(certificate.Id, end);
        }
    }

    private void PublishFailure(ManagedCertificate certificate, FailureRecord failure) => Publish(
        certificate, CertificateEventKind.Failed, $"{certificate.Id}: {failure.Message} The next attempt is at {failure.NextAttempt:u}.");

    private void Publish(ManagedCertificate certificate, CertificateEventKind kind, string message)
        => events.Publish(kind, message, CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
}
