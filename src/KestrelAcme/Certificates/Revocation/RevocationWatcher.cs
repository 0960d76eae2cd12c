using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>
/// Checks the revocation lists of the served certificates, and replaces those that somebody else revoked. Retired certificates are not
/// replaced but withdrawn.
/// </summary>
internal sealed class RevocationWatcher(
    CertificateCatalog catalog,
    CertificateLeases leases,
    RevocationCheck check,
    CertificateAgenda agenda,
    CertificateEventHub events,
    IssuanceStatus issuance,
    TimeProvider time,
    ILogger<RevocationWatcher> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(15);

    public Task RunAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        token => issuance.ReasonNotToOrder is null ? LookAsync(token) : Task.CompletedTask,
        first: TimeSpan.Zero,
        Interval,
        time,
        exception => logger.RevocationCheckFailed(exception.Message),
        stopping);

    /// <summary>
    /// Checks every list that is due. A failure of one list or certificate does not affect the others, and is tried again in the next
    /// round.
    /// </summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var urls = DueLists.Urls(catalog.Served, now);
        check.ForgetOthers(urls);
        urls.RemoveWhere(u => !check.IsDue(u));
        if (urls.Count == 0)
        {
            return;
        }

        foreach (var lists in DueLists.Gather(catalog.Served, urls, now).GroupBy(d => d.List.Url))
        {
            var next = DateTimeOffset.MaxValue;
            foreach (var (list, certificates) in lists)
            {
                var at = now;
                await TryAsync(async () => at = await LookAsync(list, certificates, cancellationToken), cancellationToken);
                next = at < next ? at : next;
            }

            check.Expect(lists.Key, next);
        }
    }

    private Task<DateTimeOffset> LookAsync(
        RevocationListId list, IReadOnlyList<ManagedCertificate> certificates, CancellationToken cancellationToken)
    {
        // The served certificates may have changed since the lists were grouped.
        var served = certificates.Select(c => (Certificate: c, c.Current!.SerialNumber)).ToLookup(
            c => c.SerialNumber, c => c.Certificate, StringComparer.Ordinal);
        return check.LookAsync(
            list,
            certificates[0].Current!.Record.Metadata.DirectoryUrl,
            certificates[0].Current!.Record.Chain[1],
            served.Select(s => s.Key).ToHashSet(StringComparer.Ordinal),
            entry => ReplaceAllAsync(served[entry.SerialNumber], entry, cancellationToken),
            cancellationToken);
    }

    private async Task<bool> ReplaceAllAsync(
        IEnumerable<ManagedCertificate> certificates, RevokedEntry entry, CancellationToken cancellationToken)
    {
        var complete = true;
        foreach (var certificate in certificates)
        {
            var recorded = false;
            await TryAsync(
                async () => recorded = catalog.IsRetired(certificate)
                    ? await WithdrawAsync(certificate, entry, cancellationToken)
                    : await ReplaceAsync(certificate, entry, cancellationToken),
                cancellationToken);
            complete &= recorded;
        }

        return complete;
    }

    private async Task TryAsync(Func<Task> step, CancellationToken cancellationToken)
    {
        try
        {
            await step();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.RevocationCheckFailed(exception.Message);
        }
    }

    /// <returns>Whether the revocation is stored, or no longer matters.</returns>
    private async Task<bool> WithdrawAsync(ManagedCertificate certificate, RevokedEntry entry, CancellationToken cancellationToken)
    {
        await using var writer = await leases.TryOpenAsync(certificate, cancellationToken);
        if (writer is null)
        {
            return false;
        }

        // A certificate that the application revoked on purpose is served as long as planned.
        var known = certificate.State.Revocation is { } revocation && revocation.SerialNumber == entry.SerialNumber ? revocation : null;
        if (known is { OnPurpose: true })
        {
            return true;
        }

        // Stored first, because the next start would serve it again.
        var stored = known is not null || await writer.ChangeAsync(state => state with { Revocation = Found(entry) }, cancellationToken);
        catalog.Withdraw(certificate);
        logger.RetiredCertificateRevoked(certificate.Id, entry.SerialNumber, entry.At, entry.Reason?.ToString() ?? "none given");
        return stored;
    }

    /// <returns>Whether the revocation is stored, or no longer matters.</returns>
    private async Task<bool> ReplaceAsync(ManagedCertificate certificate, RevokedEntry entry, CancellationToken cancellationToken)
    {
        if (certificate.State.Revocation?.SerialNumber == entry.SerialNumber)
        {
            return true;
        }

        bool stored;
        await using (var writer = await leases.TryOpenAsync(certificate, cancellationToken))
        {
            if (writer is null)
            {
                // An order is in progress, perhaps for the replacement.
                return false;
            }

            // The state was read again: another instance may have found the revocation too, or revoked the certificate on purpose.
            if (certificate.State.Revocation?.SerialNumber == entry.SerialNumber || certificate.Current?.SerialNumber != entry.SerialNumber)
            {
                return true;
            }

            stored = await writer.ChangeAsync(state => state with { Revocation = Found(entry) }, cancellationToken);
        }

        logger.CertificateFoundRevoked(certificate.Id, entry.SerialNumber, entry.At, entry.Reason?.ToString() ?? "none given");
        events.Publish(
            CertificateEventKind.Revoked,
            $"The certificate {entry.SerialNumber} for {certificate.Id} was revoked on {entry.At:u}. Replacing it now.",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        agenda.OrderNow(certificate);
        return stored;
    }

    private static RevocationRecord Found(RevokedEntry entry) => new(entry.SerialNumber, entry.At, OnPurpose: false, entry.Reason);

    /// <summary>
    /// Groups certificates by their revocation list. Of a hundred thousand certificates, only those whose list is due are sorted; the
    /// others cost one URL check each.
    /// </summary>
    internal static class DueLists
    {
        /// <summary>Returns the URLs of the revocation lists of certificates.</summary>
        public static HashSet<Uri> Urls(IEnumerable<ManagedCertificate> certificates, DateTimeOffset now)
        {
            var urls = new HashSet<Uri>();
            Uri? last = null;
            foreach (var certificate in certificates)
            {
                if (UrlOf(certificate.Current, now) is { } url && !ReferenceEquals(url, last))
                {
                    urls.Add(last = url);
                }
            }

            return urls;
        }

        /// <summary>
        /// Returns the certificates whose list is due, by list and by the key of the issuer. A key may have several certificates, but signs
        /// one list.
        /// </summary>
        public static IReadOnlyList<(RevocationListId List, IReadOnlyList<ManagedCertificate> Certificates)> Gather(
            IEnumerable<ManagedCertificate> certificates, IReadOnlySet<Uri> due, DateTimeOffset now)
        {
            var keys = new Dictionary<ReadOnlyMemory<byte>, string>(BytesComparer.Instance);
            return
            [
                .. certificates
                    .Where(c => UrlOf(c.Current, now) is { } url && due.Contains(url))
                    .GroupBy(c => new RevocationListId(c.Current!.RevocationListUrl!, KeyOf(c.Current.Record.Chain[1], keys)))
                    .Select(g => (g.Key, (IReadOnlyList<ManagedCertificate>)[.. g])),
            ];
        }

        private static Uri? UrlOf(CertificateSnapshot? current, DateTimeOffset now)
            => current is { RevocationListUrl: { } url, Record.Chain.Count: > 1 } && current.NotAfter > now ? url : null;

        private static string KeyOf(ReadOnlyMemory<byte> issuer, Dictionary<ReadOnlyMemory<byte>, string> keys)
        {
            if (!keys.TryGetValue(issuer, out var key))
            {
                keys[issuer] = key = Convert.ToHexString(SHA256.HashData(PublicKeyOf(issuer.Span)));
            }

            return key;
        }

        private static byte[] PublicKeyOf(ReadOnlySpan<byte> issuer)
        {
            try
            {
                using var certificate = X509CertificateLoader.LoadCertificate(issuer);
                return certificate.PublicKey.ExportSubjectPublicKeyInfo();
            }
            catch (CryptographicException)
            {
                // The check of the list reports what is wrong with it.
                return issuer.ToArray();
            }
        }
    }
}
