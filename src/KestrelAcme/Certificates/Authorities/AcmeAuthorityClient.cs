using System.Security.Cryptography;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An authority that is reached over ACME.</summary>
internal sealed class AcmeAuthorityClient(AuthoritySpecification specification, AcmeClient client, AcmePollingOptions polling) : IAuthorityClient
{
    public AuthoritySpecification Specification => specification;

    public TimeSpan? ClockSkew => -client.ClockSkew;

    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken) => client.GetDirectoryAsync(cancellationToken);

    public Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken) => client.RefreshDirectoryAsync(cancellationToken);

    public void Report(bool succeeded) => client.ReportOrder(succeeded);

    public async Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await client.CreateAccountAsync(key, request, cancellationToken), polling);

    public async Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await client.FindAccountAsync(key, cancellationToken), polling);

    public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => new AcmeAuthorityAccount(client.OpenAccount(key, accountUrl), polling);

    public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken) => client.GetRenewalInfoAsync(id, cancellationToken);

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
        => client.RevokeCertificateAsync(certificate, certificateKey, reason, cancellationToken);

    public void Dispose() => client.Dispose();
}
