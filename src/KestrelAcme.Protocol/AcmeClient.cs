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
/// A client of one ACME authority (RFC 8555). Thread-safe; make one per authority and keep it: connections and nonces are reused.
/// Every method throws <see cref="AcmeException"/> or one of its derived types when it fails, and <see cref="OperationCanceledException"/> only when its own token asks for it.
/// </summary>
public sealed class AcmeClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly bool _ownsHttp;
    private readonly HttpExchange _exchange;
    private readonly AcmeTransport _transport;
    private readonly DirectoryCache _directory;

    /// <summary>Makes a client; nothing is sent yet.</summary>
    /// <param name="directoryUrl">The authority's directory: https, or http on a loopback address.</param>
    /// <param name="options">Settings, read now; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is none of these, or the options contradict each other.</exception>
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

    /// <summary>What the last answer's Date header said, if there was one; accurate to a second.</summary>
    public DateTimeOffset? LastServerDate => _exchange.Clock?.Date;

    /// <summary>How far the server's clock is ahead of this machine's, by the last answer; negative when it is behind. A correction of this machine's clock counts at once.</summary>
    public TimeSpan? ClockSkew => _exchange.Clock?.Skew(TimeProvider);

    /// <summary>
    /// The time after which no further attempt at a request is begun. It can be changed while the client is in use: if another authority
    /// can take over, it pays to give up sooner.
    /// </summary>
    /// <value><see cref="AcmeRetryOptions.TotalBudget"/> of the options; zero or more.</value>
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

    /// <summary>The directory; fetched when it is first needed and again when it is older than <see cref="AcmeClientOptions.DirectoryMaxAge"/>.</summary>
    /// <param name="cancellationToken">Ends the operation.</param>
    public Task<AcmeDirectory> GetDirectoryAsync(CancellationToken cancellationToken = default) => _directory.GetAsync(cancellationToken);

    /// <summary>Reads the directory anew, however fresh the one at hand is: to hear the server's clock, or after its URLs have changed.</summary>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">The directory could not be read.</exception>
    public Task<AcmeDirectory> RefreshDirectoryAsync(CancellationToken cancellationToken = default)
    {
        _directory.Invalidate();
        return _directory.GetAsync(cancellationToken);
    }

    /// <summary>Makes an account, or finds the one that the key has already (RFC 8555 section 7.3): harmless to repeat.</summary>
    /// <param name="key">The key; keep it in store before the call.</param>
    /// <param name="request">What it is made with.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    public async Task<AcmeAccount> CreateAccountAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(request);
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        using var binding = request.ExternalAccountBinding is { } external ? JsonDocument.Parse(external.Sign(key.Signer, directory.NewAccount)) : null;
        var contacts = ContactUrls.Normalize(request.Contacts);
        var payload = new NewAccountPayload
        {
            Contact = contacts.Count > 0 ? contacts : null,
            TermsOfServiceAgreed = request.TermsOfServiceAgreed ? true : null,
            ExternalAccountBinding = binding?.RootElement,
        };
        return await PostNewAccountAsync("Creating the account", key, directory.NewAccount, payload, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Finds the account of a key (RFC 8555 section 7.3.1).</summary>
    /// <param name="key">The key.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException"><see cref="AcmeProblemTypes.AccountDoesNotExist"/> when there is none.</exception>
    public async Task<AcmeAccount> FindAccountAsync(AccountKey key, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var payload = new NewAccountPayload { OnlyReturnExisting = true };
        return await PostNewAccountAsync("Finding the account", key, directory.NewAccount, payload, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Opens an account whose URL is known from before; nothing is sent.</summary>
    /// <param name="key">The account's key.</param>
    /// <param name="accountUrl">The account's URL.</param>
    public AcmeAccount OpenAccount(AccountKey key, Uri accountUrl)
    {
        ArgumentNullException.ThrowIfNull(key);
        UrlPolicy.ThrowIfNotAllowed(accountUrl, DirectoryUrl, nameof(accountUrl));
        return new AcmeAccount(this, key, accountUrl, isNew: false);
    }

    /// <summary>Asks when a certificate should be renewed (RFC 9773); no account is needed.</summary>
    /// <param name="id">The certificate.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">Among others when the directory offers no renewal information.</exception>
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

    /// <summary>Revokes a certificate with its own key (RFC 8555 section 7.6): for when the account is lost.</summary>
    /// <param name="der">The certificate in DER.</param>
    /// <param name="certificateKey">The certificate's private key: ECDSA on P-256 or P-384, or RSA.</param>
    /// <param name="reason">Why.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">Among others <see cref="AcmeProblemTypes.AlreadyRevoked"/>.</exception>
    public Task RevokeCertificateAsync(
        ReadOnlyMemory<byte> der, AsymmetricAlgorithm certificateKey, RevocationReason? reason = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(certificateKey);
        return RevokeAsync(new JwsSender(JwsSigner.For(certificateKey), AccountUrl: null), der, reason, cancellationToken);
    }

    /// <summary>
    /// Tells how an order ended, whatever it failed for. After three failures in a row POSTs keep <see cref="AcmeRetryOptions.IntervalAfterFailures"/>, until an order succeeds: requests that
    /// each succeed can add up to orders that never do.
    /// </summary>
    /// <param name="succeeded">Whether the certificate was obtained.</param>
    public void ReportOrder(bool succeeded) => _transport.Pace.CountOrder(succeeded);

    /// <summary>Closes connections, except those of an <see cref="HttpClient"/> or handler that was handed in.</summary>
    public void Dispose()
    {
        if (_ownsHttp)
        {
            _http.Dispose();
        }
    }

    internal static AcmeException NotOffered(string operation, string resource, Uri directoryUrl) =>
        new($"{operation} failed: the directory {directoryUrl} offers no {resource}.") { Operation = operation, Url = directoryUrl };

    internal async Task<AcmeResponse> PostAsync(AcmeCall call, JwsSender sender, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var directory = await GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return await _transport.PostAsync(call, directory.NewNonce, sender, payload, cancellationToken).ConfigureAwait(false);
        }
        catch (AcmeException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed && directory.Names(e.Url))
        {
            // The URLs have moved, as they may at any time; the next operation is to read them anew.
            _directory.Invalidate();
            throw;
        }
    }

    internal async Task RevokeAsync(JwsSender sender, ReadOnlyMemory<byte> der, RevocationReason? reason, CancellationToken cancellationToken)
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
            // By an earlier copy of this very request, whose answer was lost.
        }
    }

    private async Task<AcmeAccount> PostNewAccountAsync(
        string operation, AccountKey key, Uri url, NewAccountPayload payload, CancellationToken cancellationToken)
    {
        var sender = new JwsSender(key.Signer, AccountUrl: null);
        var json = JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewAccountPayload);
        var call = new AcmeCall(operation, url) { Kind = AcmeRequestKind.NewAccount };
        var answer = await PostAsync(call, sender, json, cancellationToken).ConfigureAwait(false);
        var accountUrl = answer.Location ?? throw answer.Malformed("the account's URL is missing (Location header)");
        return new AcmeAccount(this, key, accountUrl, isNew: answer.Status == HttpStatusCode.Created, AccountDetails.StatusIn(answer));
    }
}
