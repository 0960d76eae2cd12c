using System.Security.Cryptography;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Storage;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Storage.Bounded;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace KestrelAcme.Tests.Certificates.Authorities;

public sealed class AccountProviderTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task OpenAsync_ManyWaitForACaThatHangs_AllFailWithTheFirst()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        var authority = new AuthoritySpecification
        {
            Id = "ca",
            DisplayName = "CA",
            DirectoryUrl = new Uri("https://ca.test/dir"),
            IsPublic = false,
        };
        var store = new CertificateStore(BoundedFixture.Around(new InMemoryStorage(_time)), NullLogger<CertificateStore>.Instance);
        var stored = new StoredAccount(store, authority, _time);
        using var client = new HangingClient(authority, _time);
        var blocks = new AccountBlocks(stored, new IssuanceSettings(), _time, NullLogger.Instance, () => { });
        var accounts = new AccountProvider(client, stored, blocks, _time, NullLogger<AccountProvider>.Instance);
        var started = _time.GetUtcNow();
        var all = Enumerable.Range(0, 12)
            .Select(_ => Assert.ThrowsAsync<AcmeUnreachableException>(() => accounts.OpenAsync(termsAccepted: true, cancellationToken)))
            .ToList();

        await _time.RunUntilCompleteAsync(Task.WhenAll(all), TimeSpan.FromHours(1), TimeSpan.FromMilliseconds(10), cancellationToken);

        Assert.Equal(1, client.Requests);
        Assert.Equal(HangingClient.Patience, _time.GetUtcNow() - started);
    }

    private sealed class HangingClient(AuthoritySpecification specification, TimeProvider time) : IAuthorityClient
    {
        public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(30);

        public int Requests { get; private set; }

        public AuthoritySpecification Specification => specification;

        public TimeSpan? ClockSkew => null;

        public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken)
        {
            var url = specification.DirectoryUrl;
            return Task.FromResult(new AcmeDirectory { Url = url, NewNonce = url, NewAccount = url, NewOrder = url });
        }

        public async Task<IAuthorityAccount> CreateAccountAsync(
            AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
        {
            Requests++;
            await Task.Delay(Patience, time, cancellationToken);
            throw new AcmeUnreachableException("The CA does not answer.");
        }

        public Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl) => throw new NotSupportedException();

        public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public Task RevokeCertificateAsync(
            ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason,
            CancellationToken cancellationToken)
            => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
