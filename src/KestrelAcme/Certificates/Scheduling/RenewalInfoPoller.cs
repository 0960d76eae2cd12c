using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Asks the authority when a certificate is to be renewed (RFC 9773) and keeps the answer.</summary>
internal sealed class RenewalInfoPoller(CertificateStore store, CertificateEventHub events, JitterSource jitter, TimeProvider time, ILogger<RenewalInfoPoller> logger)
{
    public async Task PollAsync(ManagedCertificate certificate, Authority authority, CancellationToken cancellationToken)
    {
        var previous = certificate.State.RenewalInfo;
        var next = await AskAsync(certificate, authority, previous, cancellationToken);
        certificate.State = certificate.State with { RenewalInfo = next };
        await StoreAsync(certificate, cancellationToken);
        if (next.ChosenInstant is { } chosen && chosen != previous?.ChosenInstant)
        {
            logger.RenewalAdvised(certificate.Id, chosen, next.WindowStart!.Value, next.WindowEnd!.Value, next.ExplanationUrl);
            events.Publish(
                CertificateEventKind.RenewalInfoChanged,
                $"The authority advises to renew {certificate.Id} between {next.WindowStart:u} and {next.WindowEnd:u}; planned for {chosen:u}.",
                CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        }
    }

    private async Task<RenewalInfoRecord> AskAsync(ManagedCertificate certificate, Authority authority, RenewalInfoRecord? previous, CancellationToken cancellationToken)
    {
        try
        {
            var directory = await authority.Client.GetDirectoryAsync(cancellationToken);
            if (directory.RenewalInfo is null)
            {
                return RenewalInfoPolicy.NotOffered(time.GetUtcNow());
            }

            var id = RenewalCertificateId.Create(certificate.Current!.Record.Chain[0]);
            var info = await authority.Client.GetRenewalInfoAsync(id, cancellationToken);
            return RenewalInfoPolicy.Accept(previous, info.WindowStart, info.WindowEnd, info.ExplanationUrl, info.RetryAfter, time.GetUtcNow(), jitter());
        }
        catch (AcmeMalformedAnswerException exception)
        {
            logger.RenewalInfoUnusable(certificate.Id, exception.Message);
            return RenewalInfoPolicy.Reject(previous, time.GetUtcNow());
        }
        catch (AcmeException exception)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            return RenewalInfoPolicy.Fail(previous, exception.RetryAfter, time.GetUtcNow());
        }
    }

    private async Task StoreAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            await store.WriteStateAsync(certificate.Id, certificate.State, lease: null, cancellationToken);
        }
        catch (StorageUnavailableException exception)
        {
            logger.StateNotStored(certificate.Id, exception.Message);
        }
    }
}
