using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Directories;
using KestrelAcme.Protocol.Jose;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.RenewalInformation;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol;

/// <summary>
/// A client for one ACME CA (RFC 8555). Thread-safe. Create one per CA and keep it, because connections and nonces are reused.
/// If an operation fails, it throws <see cref="AcmeException"/> or a derived type; it throws <see cref="OperationCanceledException"/>
/// only if its own token is canceled.
/// </summary>
public sealed class AcmeClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly HttpExchange _exchange;
    private readonly AcmeTransport _transport;
    private readonly DirectoryCache _directory;

    /// <summary>Creates a client. No request is sent yet.</summary>
    /// <param name="directoryUrl">The URL of the CA's directory: HTTPS, or HTTP on a loopback address.</param>
    /// <param name="options">The options, read once; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not allowed, or the options contradict each other.</exception>
    public AcmeClient(Uri directoryUrl, AcmeClientOptions? options = null)
    {
        UrlPolicy.ThrowIfNotAllowed(directoryUrl, nameof(directoryUrl));
        options = (options ?? new AcmeClientOptions()).Validated();
        DirectoryUrl = directoryUrl;
        TimeProvider = options.TimeProvider;
        (_http, _ownsHttp) = HttpClientSource.Create(options, directoryUrl);
        _exchange = new HttpExchange(options, directoryUrl, _http);
        _transport = new AcmeTransport(options, _exchange);
        _directory = new DirectoryCache(directoryUrl, options.DirectoryMaxAge, options.TimeProvider, _transport);
    }

    /// <summary>The URL of the directory.</summary>
    public Uri DirectoryUrl { get; }

    /// <summary>
    /// The Date header of the last response that had one, plus the age of the response if it comes from a cache; accurate to a second.
    /// </summary>
    public DateTimeOffset? LastServerDate => _exchange.Clock?.Date;

    /// <summary>
    /// How far the server's clock is ahead of this machine's, according to the last response; negative if it is behind.
    /// Corrections of this machine's clock take effect at once.
    /// </summary>
    public TimeSpan? ClockSkew => _exchange.Clock?.Skew(TimeProvider);

    /// <summary>
    /// The time after which no further attempt at a request is started. It can be changed while the client is in use, for example to give
    /// up sooner if another CA can take over.
    /// </summary>
    /// <value><see cref="AcmeRetryOptions.TotalBudget"/> by default; zero or more.</value>
    public TimeSpan RetryBudget
    {
        get => _transport.Budget;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            _transport.Budget = value;
        }
    }

    internal TimeProvider TimeProvider { get; }

    /// <summary>
    /// Returns the directory. It is fetched on first use, and again if it is older than
    /// <see cref="AcmeClientOptions.DirectoryMaxAge"/>.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken = default) => _directory.GetAsync(cancellationToken);

    /// <summary>
    /// Fetches the directory again, even if the cached one is recent: to read the server's clock, or because its URLs
    /// have changed.
    /// </summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The directory could not be read.</exception>
    public Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken = default)
    {
        _directory.Invalidate();
        return _directory.GetAsync(cancellationToken);
    }

    /// <summary>Creates an account, or finds the existing account of the key (RFC 8555 section 7.3). Safe to repeat.</summary>
    /// <param name="key">The key. Store it before the call.</param>
    /// <param name="request">The properties of the account.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<AcmeAccount> CreateAccountAsync(
        AccountKey key, NewAccountRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        using var binding = request.ExternalAccountBinding is { } external
            ? JsonDocument.Parse(external.Sign(key.Signer, directory.NewAccount))
            : null;
        var contacts = ContactUrls.Normalize(request.Contacts);
        var payload = new NewAccountPayload
        {
            Contact = contacts.Count > 0 ? contacts : null,
            TermsOfServiceAgreed = request.TermsOfServiceAgreed ? true : null,
            ExternalAccountBinding = binding?.RootElement,
        };
        return await PostNewAccountAsync("Creating the account", key, directory.NewAccount, payload, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Finds the account of a key (RFC 8555 section 7.3.1).</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException"><see cref="AcmeProblemTypes.AccountDoesNotExist"/> if there is none.</exception>
    public async Task<AcmeAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var payload = new NewAccountPayload { OnlyReturnExisting = true };
        return await PostNewAccountAsync("Finding the account", key, directory.NewAccount, payload, cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Opens an account by its URL. No request is sent.</summary>
    /// <param name="key">The account's key.</param>
    /// <param name="accountUrl">The account's URL.</param>
    public AcmeAccount OpenAccount(AccountKey key, Uri accountUrl)
    {
        ArgumentNullException.ThrowIfNull(key);
        UrlPolicy.ThrowIfNotAllowed(accountUrl, DirectoryUrl, nameof(accountUrl));
        return new AcmeAccount(this, key, accountUrl, isNew: false);
    }

    /// <summary>Fetches the renewal information of a certificate (RFC 9773). No account is needed.</summary>
    /// <param name="id">The certificate.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, or the directory does not offer renewal information.</exception>
    public async Task<RenewalInfo> GetRenewalInfoAsync(RenewalCertificateId id, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(id);
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var resource = directory.RenewalInfo ?? throw NotOffered("Reading renewal information", "renewalInfo", directory.Url);
        var call = new AcmeCall("Reading renewal information", new Uri($"{resource.AbsoluteUri.TrimEnd('/')}/{id.Value}"))
        {
            Kind = AcmeRequestKind.RenewalInfo,
        };
        return RenewalInfo.FromResponse(await _transport.GetAsync(call, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Revokes a certificate with its own key (RFC 8555 section 7.6), for example because the account is lost.</summary>
    /// <param name="der">The certificate in DER.</param>
    /// <param name="certificateKey">The certificate's private key: ECDSA on P-256 or P-384, or RSA.</param>
    /// <param name="reason">The reason; <see langword="null"/> for none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, for example with <see cref="AcmeProblemTypes.AlreadyRevoked"/>.</exception>
    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> der,
        AsymmetricAlgorithm certificateKey,
        RevocationReason? reason = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(certificateKey);
        return RevokeAsync(new JwsSender(JwsSigner.For(certificateKey), AccountUrl: null), der, reason, cancellationToken);
    }

    /// <summary>
    /// Reports how an order ended. After three failures in a row, POST requests are spaced by
    /// <see cref="AcmeRetryOptions.IntervalAfterFailures"/> until an order succeeds, because requests that succeed one by one can still
    /// belong to orders that always fail.
    /// </summary>
    /// <param name="succeeded">Whether the certificate was obtained.</param>
    public void ReportOrder(bool succeeded) => _transport.Pace.CountOrder(succeeded);

    /// <summary>Closes the connections. An <see cref="HttpClient"/> or handler from the options is not disposed.</summary>
    public void Dispose()
    {
        if (_ownsHttp)
        {
            _http.Dispose();
        }
    }

    internal static AcmeException NotOffered(string operation, string resource, Uri directoryUrl) =>
        new($"{operation} failed: the directory {directoryUrl} offers no {resource}.") { Operation = operation, Url = directoryUrl };

    internal async Task<AcmeResponse> PostAsync(
        AcmeCall call, JwsSender sender, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _transport.PostAsync(call, directory.NewNonce, sender, payload, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && directory.Names(e.Url))
        {
            // The CA has changed its URLs, as it may at any time: the next operation fetches the directory again.
            _directory.Invalidate();
            if (e.Url != directory.NewNonce)
            {
                throw;
            }

            // The request was not sent. Its own URL may be as good as ever.
            var changed = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
            if (changed.NewNonce == directory.NewNonce)
            {
                throw;
            }

            return await _transport.PostAsync(call, changed.NewNonce, sender, payload, cancellationToken).ConfigureAwait(false);
        }
    }

    internal async Task RevokeAsync(
        JwsSender sender, ReadOnlyMemory<byte> der, RevocationReason? reason, CancellationToken cancellationToken)
    {
        const string operation = "Revoking the certificate";
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var url = directory.RevokeCert ?? throw NotOffered(operation, "revokeCert", directory.Url);
        var payload = new RevocationPayload { Certificate = Base64Url.EncodeToString(der.Span), Reason = (int?)reason };
        try
        {
            var json = JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.RevocationPayload);
            var call = new AcmeCall(operation, url) { Kind = AcmeRequestKind.RevokeCertificate };
            await PostAsync(call, sender, json, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.FollowsLostAttempt && e.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // Revoked by an earlier copy of this request, whose response was lost.
        }
    }

    private async Task<AcmeAccount> PostNewAccountAsync(
        string operation, AccountKey key, Uri url, NewAccountPayload payload, CancellationToken cancellationToken)
    {
        var sender = new JwsSender(key.Signer, AccountUrl: null);
        var json = JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewAccountPayload);
        var call = new AcmeCall(operation, url) { Kind = AcmeRequestKind.NewAccount };
        var response = await PostAsync(call, sender, json, cancellationToken).ConfigureAwait(false);
        var accountUrl = response.Location ?? throw response.Malformed("the account's URL is missing (Location header)");
        return new AcmeAccount(this, key, accountUrl, isNew: response.Status == HttpStatusCode.Created, AccountDetails.StatusIn(response));
    }
}
