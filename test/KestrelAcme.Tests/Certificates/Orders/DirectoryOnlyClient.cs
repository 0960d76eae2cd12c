using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>A CA that returns its directory and nothing else.</summary>
internal sealed class DirectoryOnlyClient(AuthoritySpecification specification, IReadOnlyList<string> caaIdentities) : IAuthorityClient
{
    public AuthoritySpecification Specification => specification;

    public TimeSpan? ClockSkew => null;

    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
    {
        var url = specification.DirectoryUrl;
        return Task.FromResult(
            new AcmeDirectory
            {
                Url = url,
                NewNonce = url,
                NewAccount = url,
                NewOrder = url,
                Meta = new AcmeDirectoryMeta { CaaIdentities = caaIdentities },
            });
    }

    public Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => throw new NotSupportedException();

    public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
        => throw new NotSupportedException();

    public void Dispose()
    {
    }
}
