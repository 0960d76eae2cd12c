using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Accounts;

/// <content>Certificates, RFC 8555 sections 7.4.2 and 7.6.</content>
public sealed partial class AcmeAccount
{
    private const string ChainType = "application/pem-certificate-chain";

    // CAs offer one to three.
    private const int MaxAlternates = 10;

    /// <summary>Downloads a certificate with its default chain.</summary>
    /// <param name="certificateUrl">The URL in the order, or one of <see cref="CertificateChain.AlternateUrls"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<CertificateChain> DownloadCertificateAsync(Uri certificateUrl, CancellationToken cancellationToken = default) =>
        CertificateChain.FromResponse(
            await FetchAsync("Downloading the certificate", certificateUrl, cancellationToken, ChainType).ConfigureAwait(false),
            certificateUrl);

    /// <summary>
    /// Downloads a certificate with all chains on offer, the default chain first. Choose one with <see cref="ChainSelector"/>.
    /// </summary>
    /// <param name="certificateUrl">The URL in the order.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>
    /// At least the default chain. Alternate chains that cannot be downloaded are left out, because having a certificate matters more.
    /// </returns>
    public async Task<IReadOnlyList<CertificateChain>> DownloadAllChainsAsync(
        Uri certificateUrl, CancellationToken cancellationToken = default)
    {
        var chains = new List<CertificateChain> { await DownloadCertificateAsync(certificateUrl, cancellationToken).ConfigureAwait(false) };
        foreach (var url in chains[0].AlternateUrls.Take(MaxAlternates))
        {
            try
            {
                chains.Add(await DownloadCertificateAsync(url, cancellationToken).ConfigureAwait(false));
            }
            catch (AcmeException)
            {
                // Left out, as documented.
            }
        }

        return chains;
    }

    /// <summary>
    /// Revokes a certificate with the account that ordered it, or an account that is authorized for all its names (RFC
    /// 8555 section 7.6).
    /// </summary>
    /// <param name="der">The certificate in DER.</param>
    /// <param name="reason">The reason; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, for example with <see cref="AcmeProblemTypes.AlreadyRevoked"/>.</exception>
    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> der, RevocationReason? reason = null, CancellationToken cancellationToken = default) =>
        Client.RevokeAsync(Sender, der, reason, cancellationToken);
}
