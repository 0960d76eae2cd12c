using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Asks the authority when a certificate is to be renewed (RFC 9773) and keeps the answer.</summary>
internal sealed class RenewalInfoPoller(
    CertificateLeases leases,
    CertificateEventHub events,
    IssuanceSettings settings,
    JitterSource jitter,
    TimeProvider time,
    ILogger<RenewalInfoPoller> logger)
{
    // When an authority is asked again after an outage, not all certificates ask at once.
    private static readonly TimeSpan Spread = TimeSpan.FromMinutes(15);

    /// <returns>
    /// For how long an authority is left alone that did not answer the last question; <see langword="null"/> when it may be asked.
    /// </returns>
    public TimeSpan? LeftAlone(CertificateAuthority authority)
    {
        var now = time.GetUtcNow();
        return authority.RenewalInfoHealth.OpenUntil(now) is { } until ? until - now + (Spread * jitter()) : null;
    }

    /// <param name="certificate">The certificate to ask about.</param>
    /// <param name="authority">Who issued it.</param>
    /// <param name="stopping">Ends the question: nothing is lost with it.</param>
    /// <param name="abort">Ends the writing of the answer.</param>
    /// <returns><see langword="false"/> when another instance has the certificate in hand: it is looked at again soon.</returns>
    public async Task<bool> PollAsync(
        ManagedCertificate certificate, CertificateAuthority authority, CancellationToken stopping, CancellationToken abort)
    {
        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null)
        {
            return false;
        }

        // Another instance may have asked since we looked: its answer is in the state that was just read.
        var previous = Fitting(certificate);
        if (ClockGuard.NextPoll(previous, time.GetUtcNow()) > time.GetUtcNow())
        {
            return true;
        }

        var next = await AskAsync(certificate, authority, previous, stopping);
        await writer.ChangeAsync(state => state with { RenewalInfo = next }, abort);
        Report(certificate, previous, next);
        return true;
    }

    private static RenewalInfoRecord? Fitting(ManagedCertificate certificate)
        => certificate.State.RenewalInfo is { } info && info.SerialNumber == certificate.Current?.SerialNumber ? info : null;

    private void Report(ManagedCertificate certificate, RenewalInfoRecord? previous, RenewalInfoRecord next)
    {
        if (next.ChosenInstant is { } chosen && chosen != previous?.ChosenInstant)
        {
            var explanation = next.ExplanationUrl is { } url ? $" Its explanation: {url}" : "";
            logger.RenewalAdvised(certificate.Id, chosen, next.WindowStart!.Value, next.WindowEnd!.Value, explanation);
            events.Publish(
                CertificateEventKind.RenewalInfoChanged,
                $"The CA advises to renew {certificate.Id} between {next.WindowStart:u} and {next.WindowEnd:u}; planned for {chosen:u}.",
                CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        }
    }

    private async Task<RenewalInfoRecord> AskAsync(
        ManagedCertificate certificate, CertificateAuthority authority, RenewalInfoRecord? previous, CancellationToken cancellationToken)
    {
        var serial = certificate.Current!.SerialNumber;
        try
        {
            var directory = await authority.Client.GetDirectoryAsync(cancellationToken);
            if (directory.RenewalInfo is null)
            {
                return RenewalInfoPolicy.NotOffered(time.GetUtcNow()) with { SerialNumber = serial };
            }

            if (certificate.Current!.ReadRenewalId() is not { } id)
            {
                logger.RenewalInfoUnusable(
                    certificate.Id, "the certificate has no authority key identifier by which to ask for it (RFC 9773 section 4.1)");
                return RenewalInfoPolicy.NotOffered(time.GetUtcNow()) with { SerialNumber = serial };
            }

            var info = await authority.Client.GetRenewalInfoAsync(id, cancellationToken);
            authority.RenewalInfoHealth.Succeeded();
            var next = RenewalInfoPolicy.Accept(
                previous, info.WindowStart, info.WindowEnd, info.ExplanationUrl, info.RetryAfter, time.GetUtcNow(), jitter());
            return next with { SerialNumber = serial };
        }
        catch (AcmeMalformedResponseException exception)
        {
            logger.RenewalInfoUnusable(certificate.Id, exception.Message);
            return RenewalInfoPolicy.Reject(previous, time.GetUtcNow()) with { SerialNumber = serial };
        }
        catch (AcmeException exception)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            LeaveAlone(authority, exception);
            return RenewalInfoPolicy.Fail(previous, exception.RetryAfter, time.GetUtcNow()) with { SerialNumber = serial };
        }
    }

    // One question in a while finds out for all certificates whether it answers again.
    private void LeaveAlone(CertificateAuthority authority, AcmeException exception)
    {
        if (FailureClassifier.IsOutage(exception))
        {
            var now = time.GetUtcNow();
            var failures = authority.RenewalInfoHealth.Failed(now);
            var report = new FailureReport(FailureCause.Authority, null, exception.Message);
            authority.RenewalInfoHealth.OpenFor(now + FailurePolicy.Outage(report, failures, settings.Retries), now);
        }
    }
}
