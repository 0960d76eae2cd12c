using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Requests the renewal information of a certificate (RFC 9773), and stores it.</summary>
internal sealed class RenewalInfoPoller(
    CertificateLeases leases,
    RenewalInfoTurns turns,
    CertificateEventHub events,
    AcmeHttpsMetrics metrics,
    IssuanceSettings settings,
    JitterSource jitter,
    TimeProvider time,
    ILogger<RenewalInfoPoller> logger)
{
    // After an outage of the CA, not all certificates poll at once.
    private static readonly TimeSpan Spread = TimeSpan.FromMinutes(15);

    /// <returns>
    /// The time for which a CA that did not respond to the last request is left alone; <see langword="null"/> if it may be asked.
    /// </returns>
    public TimeSpan? LeftAlone(CertificateAuthority authority)
    {
        var now = time.GetUtcNow();
        return authority.RenewalInfoHealth.OpenUntil(now) is { } until ? until - now + (Spread * jitter()) : null;
    }

    /// <param name="certificate">The certificate.</param>
    /// <param name="authority">The CA that issued it.</param>
    /// <param name="stopping">Cancels the request, which loses nothing.</param>
    /// <param name="abort">Cancels storing the response.</param>
    /// <returns>
    /// How long to wait before it is tried again, because it is not this instance's turn; <see langword="null"/> if it was done.
    /// </returns>
    public async Task<Pause?> PollAsync(
        ManagedCertificate certificate, CertificateAuthority authority, CancellationToken stopping, CancellationToken abort)
    {
        if (turns.WaitFor(certificate) is { } wait)
        {
            return new Pause(wait);
        }

        await turns.RefreshAsync(certificate, abort);
        if (!turns.IsDue(certificate))
        {
            return null;
        }

        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null)
        {
            return new Pause(settings.LeasePoll);
        }

        // Another instance may have polled since: its response is in the state that was just read.
        if (!turns.IsDue(certificate))
        {
            return null;
        }

        var previous = RenewalInfoTurns.Fitting(certificate);
        var (next, outcome) = await AskAsync(certificate, authority, previous, stopping);
        metrics.RenewalInfoFetched(authority.Specification.DirectoryUrl, outcome);
        await writer.ChangeAsync(state => state with { RenewalInfo = next }, abort);
        Report(certificate, previous, next);
        return null;
    }

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

    private async Task<Poll> AskAsync(
        ManagedCertificate certificate, CertificateAuthority authority, RenewalInfoRecord? previous, CancellationToken cancellationToken)
    {
        var serial = certificate.Current!.SerialNumber;
        try
        {
            var directory = await authority.Client.GetDirectoryAsync(cancellationToken);
            if (directory.RenewalInfo is null)
            {
                return new Poll(RenewalInfoPolicy.NotOffered(time.GetUtcNow()) with { SerialNumber = serial }, Outcomes.NotOffered);
            }

            if (certificate.Current!.ReadRenewalId() is not { } id)
            {
                logger.RenewalInfoUnusable(
                    certificate.Id, "the certificate has no authority key identifier by which to ask for it (RFC 9773 section 4.1)");
                return new Poll(RenewalInfoPolicy.NotOffered(time.GetUtcNow()) with { SerialNumber = serial }, Outcomes.NotOffered);
            }

            var info = await authority.Client.GetRenewalInfoAsync(id, cancellationToken);
            authority.RenewalInfoHealth.Succeeded();
            var next = RenewalInfoPolicy.Accept(
                previous, info.WindowStart, info.WindowEnd, info.ExplanationUrl, info.RetryAfter, time.GetUtcNow(), jitter());
            return new Poll(next with { SerialNumber = serial }, Outcomes.Succeeded);
        }
        catch (AcmeMalformedResponseException exception)
        {
            logger.RenewalInfoUnusable(certificate.Id, exception.Message);
            return new Poll(RenewalInfoPolicy.Reject(previous, time.GetUtcNow()) with { SerialNumber = serial }, Outcomes.Failed);
        }
        catch (AcmeException exception)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            LeaveAlone(authority, exception);
            var next = RenewalInfoPolicy.Fail(previous, exception.RetryAfter, time.GetUtcNow());
            return new Poll(next with { SerialNumber = serial }, Outcomes.Failed);
        }
    }

    // One request from time to time finds out for all certificates whether the CA responds again.
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

    private sealed record Poll(RenewalInfoRecord Next, string Outcome);
}

/// <summary>Something is tried again later.</summary>
internal sealed record Pause(TimeSpan Time);
