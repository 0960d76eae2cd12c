using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Downloads the certificate of a valid order (RFC 8555 section 7.4.2) and checks it. An unusable one is downloaded again: the certificate
/// is issued and counted, so another order would cost a second one.
/// </summary>
internal sealed class CertificateDownload(
    IssuanceSettings settings, TimeProvider time, JitterSource jitter, ILogger<CertificateDownload> logger)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    public async Task<CertificateRecord> RunAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        await context.Writer.StoreCertificateUrlAsync(order.CertificateUrl!, time.GetUtcNow(), cancellationToken);
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await DownloadOnceAsync(context, account, order.CertificateUrl!, cancellationToken);
            }
            catch (Exception exception)
                when (exception is UnusableCertificateException or AcmeMalformedResponseException
                    && attempt < settings.DownloadPauses.Count)
            {
                // The certificate is issued and counted. Another download may bring a better chain, and costs nothing.
                var pause = settings.DownloadPauses[attempt];
                if (exception is AcmeException { RetryAfter: { } asked } && asked > pause)
                {
                    pause = asked < LongestPause ? asked : LongestPause;
                }

                logger.DownloadRepeated(context.Specification.Id, order.CertificateUrl!, pause.TotalSeconds, exception.Message);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.Stopping);
                await Task.Delay(pause, time, either.Token);
            }
        }
    }

    private async Task<CertificateRecord> DownloadOnceAsync(
        OrderContext context, IAuthorityAccount account, Uri certificateUrl, CancellationToken cancellationToken)
    {
        var preferred = context.Specification.PreferredChain ?? context.Authority.Specification.PreferredChain;
        var chains = await DownloadAsync(account, certificateUrl, withAlternates: preferred is not null, cancellationToken);
        if (preferred is not null
            && !chains.Any(chain => ChainSelector.Matches(chain, preferred))
            && context.Authority.MissesChain(preferred))
        {
            logger.PreferredChainNotOffered(
                context.Specification.Id, context.Authority.Specification.DirectoryUrl, preferred, ChainSelector.DescribeIssuers(chains));
        }

        var (pending, now) = (context.Writer.RequirePending(), time.GetUtcNow());
        using var key = CertificateKeys.Read(pending.KeyAlgorithm, pending.PrivateKey);
        var chain = IssuedCertificateCheck.Arrange(chains, preferred, key, pending.Names, IsChainExpected(context), now);
        var record = new CertificateRecord(chain, pending.PrivateKey, StoredOrders.Metadata(pending, certificateUrl, now, jitter()));
        IssuedCertificateCheck.ThrowIfRefused(CertificateSnapshot.Read(record).Material(context.Specification));
        return record;
    }

    private static async Task<IReadOnlyList<CertificateChain>> DownloadAsync(
        IAuthorityAccount account, Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.DownloadCertificate);
        var chains = await account.DownloadChainsAsync(certificateUrl, withAlternates, cancellationToken);
        step.Done();
        return chains;
    }

    // A private CA may sign with its root, and send only the certificate.
    private static bool IsChainExpected(OrderContext context)
        => context.Authority.Specification.IsPublic
            || (context.Current is { } current
                && current.Chain.Skip(1).Any(issuer => !CertificateSnapshot.IsSelfIssued(issuer))
                && current.Metadata.DirectoryUrl == context.Authority.Specification.DirectoryUrl);
}
