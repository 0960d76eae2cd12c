using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Looks for our certificates on their revocation lists, and has those replaced that somebody else revoked.</summary>
internal sealed class RevocationWatcher(
    CertificateCatalog catalog,
    CertificateLeases leases,
    RevocationCheck check,
    CertificateScheduler scheduler,
    CertificateEventHub events,
    IssuanceStatus issuance,
    TimeProvider time,
    ILogger<RevocationWatcher> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (issuance.ReasonNotToOrder is null)
                {
                    await LookAsync(stopping);
                }
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                logger.RevocationCheckFailed(exception.Message);
            }

            await Task.Delay(Interval, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks at every list that is due.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var lists = catalog.All
            .Where(c => c.Current is { RevocationListUrl: not null, Record.Chain.Count: > 1 } current && current.NotAfter > now)
            .GroupBy(c => (Url: c.Current!.RevocationListUrl!, Issuer: Convert.ToHexString(c.Current.Record.Chain[1].Span)));
        foreach (var list in lists)
        {
            var bySerial = list.GroupBy(c => c.Current!.SerialNumber, StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToList(), StringComparer.Ordinal);
            var issuer = list.First().Current!.Record.Chain[1];
            foreach (var entry in await check.LookAsync(list.Key.Url, issuer, bySerial.Keys.ToHashSet(StringComparer.Ordinal), cancellationToken))
            {
                foreach (var certificate in bySerial[entry.SerialNumber])
                {
                    await ReplaceAsync(certificate, entry, cancellationToken);
                }
            }
        }
    }

    private async Task ReplaceAsync(ManagedCertificate certificate, RevokedEntry entry, CancellationToken cancellationToken)
    {
        if (certificate.State.Revocation?.SerialNumber == entry.SerialNumber)
        {
            return;
        }

        await using (var open = await leases.OpenAsync(certificate, cancellationToken))
        {
            // The state was read again: another instance may have found it too, or revoked it on purpose.
            if (certificate.State.Revocation?.SerialNumber == entry.SerialNumber || certificate.Current?.SerialNumber != entry.SerialNumber)
            {
                return;
            }

            var record = new RevocationRecord(entry.SerialNumber, entry.At, OnPurpose: false, entry.Reason);
            await open.Journal.ChangeAsync(state => state with { Revocation = record }, cancellationToken);
        }

        logger.CertificateFoundRevoked(certificate.Id, entry.SerialNumber, entry.At, entry.Reason?.ToString() ?? "none given");
        events.Publish(
            CertificateEventKind.Revoked,
            $"The certificate {entry.SerialNumber} for {certificate.Id} was revoked on {entry.At:u}; it is replaced at once.",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        scheduler.Schedule(certificate.Id, CertificatePlans.At(time.GetUtcNow(), certificate));
    }
}
