using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Makes clients of which the first authority's hang.</summary>
internal sealed class TrappedClients(IAuthorityClientFactory factory, Trap trap, TimeProvider time) : IAuthorityClientFactory
{
    public IAuthorityClient Create(AuthoritySpecification specification)
        => trap.AuthorityHangs > TimeSpan.Zero && specification.DirectoryUrl == SimulatedAuthority.DirectoryUrl ? new Client(factory.Create(specification), trap, time) : factory.Create(specification);

    private sealed class Client(IAuthorityClient client, Trap trap, TimeProvider time) : IAuthorityClient
    {
        public AuthoritySpecification Specification => client.Specification;

        public TimeSpan? ClockSkew => client.ClockSkew;

        public async Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
        {
            await PassAsync(cancellationToken);
            return await client.GetDirectoryAsync(cancellationToken);
        }

        public Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken) => client.CreateAccountAsync(key, request, cancellationToken);

        public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken) => client.FindAccountAsync(key, cancellationToken);

        public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => client.OpenAccount(key, accountUrl);

        public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken) => client.GetRenewalInfoAsync(id, cancellationToken);

        public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
            => client.RevokeCertificateAsync(certificate, certificateKey, reason, cancellationToken);

        public void Dispose() => client.Dispose();

        private async Task PassAsync(CancellationToken cancellationToken)
        {
            if (trap.IsSet)
            {
                trap.Fall();
                await Task.Delay(trap.AuthorityHangs!.Value, time, cancellationToken);
                throw new AcmeUnreachableException("The first of two does not answer.");
            }
        }
    }
}
