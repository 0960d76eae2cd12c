using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Reflection;
using System.Security.Cryptography;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Orders;
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

    public void GiveUpAtOnce() => client.RetryBudget = TimeSpan.Zero;

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

/// <summary>An account at a CA that is reached over ACME.</summary>
internal sealed class AcmeAuthorityAccount(AcmeAccount account, AcmePollingOptions polling) : IAuthorityAccount
{
    public Uri Url => account.Url;

    public AccountKey Key => account.Key;

    public Task<AccountDetails> ReadAsync(CancellationToken cancellationToken) => account.GetAsync(cancellationToken);

    public AccountStatus Status => account.Status;

    public async Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken)
        => new AcmeAuthorityAccount(await account.RolloverKeyAsync(newKey, cancellationToken), polling);

    public Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken)
        => account.CreateOrderAsync(request, cancellationToken);

    public Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken)
        => account.GetOrderAsync(orderUrl, cancellationToken);

    public Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken)
        => account.WaitForOrderAsync(orderUrl, done, polling, cancellationToken);

    public Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => account.GetAuthorizationAsync(authorizationUrl, cancellationToken);

    public Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken)
        => account.WaitForAuthorizationAsync(authorizationUrl, polling, cancellationToken);

    public Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken)
        => account.AcceptChallengeAsync(challengeUrl, cancellationToken);

    public Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken)
        => account.FinalizeOrderAsync(order, certificateRequest, cancellationToken);

    public async Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(
        Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken)
        => withAlternates
            ? await account.DownloadAllChainsAsync(certificateUrl, cancellationToken)
            : [await account.DownloadCertificateAsync(certificateUrl, cancellationToken)];

    public Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken)
        => account.RevokeCertificateAsync(certificate, reason, cancellationToken);
}

/// <summary>
/// The request rates of CAs whose limits per IP address are known: one for all clients of a CA in this process. Requests to other CAs, in
/// particular private ones, are never slowed down.
/// </summary>
internal sealed class RequestPaces(TimeProvider time)
{
    // The documented rates of Let's Encrypt. Requests that leave here evenly may arrive in bunches, and another process may share the
    // address. So a tenth of the rate and half of the burst are left unused.
    private static readonly Dictionary<AcmeRequestKind, AcmeRate> LetsEncrypt = WithReserve(new()
    {
        [AcmeRequestKind.NewNonce] = new(20, 10),
        [AcmeRequestKind.NewAccount] = new(5, 15),
        [AcmeRequestKind.NewOrder] = new(300, 200),
        [AcmeRequestKind.RevokeCertificate] = new(10, 100),
        [AcmeRequestKind.RenewalInfo] = new(1000, 100),
        [AcmeRequestKind.Directory] = new(40, 40),
        [AcmeRequestKind.Other] = new(250, 125),
    });

    private static readonly Dictionary<AcmeRequestKind, AcmeRate> LetsEncryptStaging = WithReserve(new()
    {
        [AcmeRequestKind.NewNonce] = new(20, 10),
        [AcmeRequestKind.NewAccount] = new(5, 15),
        [AcmeRequestKind.NewOrder] = new(20, 40),
        [AcmeRequestKind.Directory] = new(40, 40),
        [AcmeRequestKind.Other] = new(20, 20),
    });

    private readonly ConcurrentDictionary<string, AcmeRequestPace> _paces = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns the request rate for a CA.</summary>
    /// <returns><see langword="null"/> if the limits of the CA are unknown. Its requests are not slowed down.</returns>
    public AcmeRequestPace? For(Uri directoryUrl)
        => RatesOf(directoryUrl) is { } rates ? _paces.GetOrAdd(directoryUrl.IdnHost, _ => new AcmeRequestPace(rates, time)) : null;

    // By host, because the limits apply to the host, whatever the path of the directory is.
    private static Dictionary<AcmeRequestKind, AcmeRate>? RatesOf(Uri directoryUrl)
        => IsHostOf(WellKnownAuthorities.LetsEncrypt, directoryUrl) ? LetsEncrypt
            : IsHostOf(WellKnownAuthorities.LetsEncryptStaging, directoryUrl) ? LetsEncryptStaging
            : null;

    private static bool IsHostOf(string authority, Uri directoryUrl)
        => WellKnownAuthorities.FindByName(authority) is { } known
            && string.Equals(known.DirectoryUrl.IdnHost, directoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static Dictionary<AcmeRequestKind, AcmeRate> WithReserve(Dictionary<AcmeRequestKind, AcmeRate> documented)
        => documented.ToDictionary(rate => rate.Key, rate => new AcmeRate(rate.Value.PerSecond * 0.9, Math.Max(1, rate.Value.Burst / 2)));
}

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

    /// <summary>Makes each request only once from now on.</summary>
    void GiveUpAtOnce()
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

/// <summary>An account at a CA, with which orders are placed.</summary>
internal interface IAuthorityAccount
{
    Uri Url { get; }

    AccountKey Key { get; }

    /// <summary>Reads the account object of the CA with a signed request to the account URL.</summary>
    Task<AccountDetails> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The status that the CA returned when the account was found by its key, if it did.</summary>
    AccountStatus Status => AccountStatus.Unknown;

    /// <summary>Replaces the key of the account (RFC 8555 section 7.3.5).</summary>
    Task<IAuthorityAccount> RolloverKeyAsync(AccountKey newKey, CancellationToken cancellationToken);

    Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken);

    Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken);

    /// <summary>
    /// Polls until the order has left the statuses that end without the client: "pending" with valid authorizations, and "processing".
    /// </summary>
    Task<Order> WaitForOrderAsync(Uri orderUrl, Func<OrderStatus, bool> done, CancellationToken cancellationToken);

    Task<Authorization> GetAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Authorization> WaitForAuthorizationAsync(Uri authorizationUrl, CancellationToken cancellationToken);

    Task<Challenge> AcceptChallengeAsync(Uri challengeUrl, CancellationToken cancellationToken);

    Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> certificateRequest, CancellationToken cancellationToken);

    /// <summary>Downloads the default chain and, if requested, the alternate ones. Returns at least one, the default first.</summary>
    Task<IReadOnlyList<CertificateChain>> DownloadChainsAsync(Uri certificateUrl, bool withAlternates, CancellationToken cancellationToken);

    Task RevokeCertificateAsync(ReadOnlyMemory<byte> certificate, RevocationReason? reason, CancellationToken cancellationToken);
}
