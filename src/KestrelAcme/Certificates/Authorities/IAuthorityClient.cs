using System.Security.Cryptography;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>One authority as the order flow sees it: the ACME client, or a model of an authority in simulations.</summary>
internal interface IAuthorityClient : IDisposable
{
    AuthoritySpecification Specification { get; }

    /// <summary>How far our clock is ahead of the authority's, by its last answer; <see langword="null"/> before the first.</summary>
    TimeSpan? ClockSkew { get; }

    Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken);

    /// <summary>Reads the directory anew, however fresh the one at hand is.</summary>
    Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken) => GetDirectoryAsync(cancellationToken);

    /// <summary>Tells how an order ended: as long as orders fail in a row, requests are sent slowly.</summary>
    void Report(bool succeeded)
    {
    }

    /// <summary>Tells whether another authority can take over: then a request that gets no response is not repeated for minutes.</summary>
    void GiveUpSoon(bool soon)
    {
    }

    Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken);

    /// <summary>Finds the account of a key, without creating one.</summary>
    Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken);

    IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl);

    Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken);

    /// <summary>Revokes a certificate by its own key: for when the account that ordered it is gone.</summary>
    Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken);
}
