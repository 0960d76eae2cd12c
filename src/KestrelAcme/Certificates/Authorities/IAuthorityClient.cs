using System.Security.Cryptography;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>A CA as the order flow sees it: an ACME client, or a model of a CA in simulations.</summary>
internal interface IAuthorityClient : IDisposable
{
    AuthoritySpecification Specification { get; }

    /// <summary>How far this machine's clock is ahead of the CA's, by its last response; <see langword="null"/> before the first.</summary>
    TimeSpan? ClockSkew { get; }

    Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken);

    /// <summary>Reads the directory again, even if the cached one is fresh.</summary>
    Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken) => GetDirectoryAsync(cancellationToken);

    /// <summary>Reports the result of an order. As long as orders fail in a row, requests are sent slowly.</summary>
    void Report(bool succeeded)
    {
    }

    /// <summary>Sets whether another CA can take over. Then a request without a response is not repeated for minutes.</summary>
    void GiveUpSoon(bool soon)
    {
    }

    Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken);

    /// <summary>Finds the account of a key without creating one.</summary>
    Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken);

    IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl);

    Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken);

    /// <summary>Revokes a certificate with its own key, in case the account that ordered it is gone.</summary>
    Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason,
        CancellationToken cancellationToken);
}

/// <summary>Creates clients of CAs. Simulations replace it with a model.</summary>
internal interface IAuthorityClientFactory
{
    IAuthorityClient Create(AuthoritySpecification specification);
}
