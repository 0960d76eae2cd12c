using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Accounts;

/// <content>Certificates, RFC 8555 sections 7.4.2 and 7.6.</content>
public sealed partial class AcmeAccount
{
    private const string ChainType = "application/pem-certificate-chain";

    // Authorities offer one to three.
    private const int MaxAlternates = 10;

    /// <summary>Downloads a certificate with its default chain.</summary>
    /// <param name="certificateUrl">The URL in the order, or one of <see cref="CertificateChain.AlternateUrls"/>.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    public async Task<CertificateChain> DownloadCertificateAsync(Uri certificateUrl, CancellationToken cancellationToken = default) =>
        CertificateChain.FromResponse(
            await FetchAsync("Downloading the certificate", certificateUrl, cancellationToken, ChainType).ConfigureAwait(false), certificateUrl);

    /// <summary>Downloads a certificate with every chain on offer, the default one first; choose with <see cref="ChainSelector"/>.</summary>
    /// <param name="certificateUrl">The URL in the order.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <returns>At least the default chain. An alternate that cannot be had is left out: a certificate in hand beats a better chain.</returns>
    public async Task<IReadOnlyList<CertificateChain>> DownloadAllChainsAsync(Uri certificateUrl, CancellationToken cancellationToken = default)
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

    /// <summary>Revokes a certificate in the name of the account that ordered it, or that is authorized for all its names (RFC 8555 section 7.6).</summary>
    /// <param name="der">The certificate in DER.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">Among others <see cref="AcmeProblemTypes.AlreadyRevoked"/>.</exception>
    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> der, RevocationReason? reason = null, CancellationToken cancellationToken = default) =>
        Client.RevokeAsync(Sender, der, reason, cancellationToken);
}
