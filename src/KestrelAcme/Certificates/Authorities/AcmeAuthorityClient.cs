using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.RenewalInformation;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>A CA that is reached over ACME.</summary>
internal sealed class AcmeAuthorityClient(
    AuthoritySpecification specification, AcmeClient client, AcmePollingOptions polling) : IAuthorityClient
{
    // The time limit of a single request: one that hangs is not repeated, but one that fails at once is.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    private readonly TimeSpan _patience = client.RetryBudget;

    public AuthoritySpecification Specification => specification;

    public TimeSpan? ClockSkew => -client.ClockSkew;

    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken) => client.GetDirectoryAsync(cancellationToken);

    public Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken)
        => client.RefreshDirectoryAsync(cancellationToken);

    public void Report(bool succeeded) => client.ReportOrder(succeeded);

    public void GiveUpSoon(bool soon) => client.RetryBudget = soon && _patience > Soon ? Soon : _patience;

    public async Task<IAuthorityAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await client.CreateAccountAsync(key, request, cancellationToken), polling);

    public async Task<IAuthorityAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await client.FindAccountAsync(key, cancellationToken), polling);

    public IAuthorityAccount OpenAccount(AccountKey key, Uri accountUrl)
        => new AcmeAuthorityAccount(client.OpenAccount(key, accountUrl), polling);

    public Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken)
        => client.GetRenewalInfoAsync(id, cancellationToken);

    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> certificate, AsymmetricAlgorithm certificateKey, RevocationReason? reason, CancellationToken cancellationToken)
        => client.RevokeCertificateAsync(certificate, certificateKey, reason, cancellationToken);

    public void Dispose() => client.Dispose();
}

/// <summary>Creates ACME clients.</summary>
internal sealed class AcmeAuthorityClientFactory(
    IssuanceSettings settings, TimeProvider time, ILogger<AcmeAuthorityClientFactory> logger) : IAuthorityClientFactory
{
    private static readonly ProductInfoHeaderValue Product = new(
        "KestrelAcme",
        typeof(AcmeAuthorityClientFactory).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion.Split('+')[0] ?? "0");

    private readonly RequestPaces _paces = new(time);

    public IAuthorityClient Create(AuthoritySpecification specification)
    {
        var client = new AcmeClient(specification.DirectoryUrl, new AcmeClientOptions
        {
            TimeProvider = time,
            TrustedRootsSource = specification.TrustedRootsPath is { } path ? new TrustedRootsFile(path, logger).Read : null,
            UserAgentProduct = Product,
            Retry = settings.RequestRetries,
            RequestTimeout = settings.RequestTimeout,
            RequestPace = _paces.For(specification.DirectoryUrl),
        });
        return new AcmeAuthorityClient(specification, client, settings.Polling);
    }
}
