using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Hosting;
using KestrelAcme.LocalAuthority.RenewalInformation;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Revocation;
using KestrelAcme.LocalAuthority.Validation;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace KestrelAcme.LocalAuthority;

/// <summary>
/// An ACME authority in this process (RFC 8555, 8737, 8738, 9773): for tests and for development, on 127.0.0.1 only. Its checks and its
/// validations are real; its root is trusted by nobody who was not told to. Thread-safe.
/// </summary>
public sealed class LocalAcmeAuthority : IAsyncDisposable
{
    private const int PreferredPort = 8555;
    private const int PreferredFilesPort = 8556;

    private readonly LocalAcmeAuthorityOptions _options;
    private readonly AccountRegistry _accounts = new();
    private readonly ValidationAddresses _addresses;
    private readonly AuthorityFolder _folder;
    private readonly Socket _https;
    private readonly Socket _files;
    private AuthorityParts? _parts;
    private AuthorityServer? _server;
    private int _disposed;

    /// <summary>Reserves the ports and makes or loads the root; nothing is served until <see cref="ServeAsync"/>.</summary>
    internal LocalAcmeAuthority(LocalAcmeAuthorityOptions options, bool inApp)
    {
        _options = options;
        _addresses = new ValidationAddresses(options);
        foreach (var (name, endpoints) in options.Addresses)
        {
            _addresses.Map(name, endpoints);
        }

        Faults = new AuthorityFaults(_accounts);
        var now = options.TimeProvider.GetUtcNow();
        var inMemory = options.InMemory || (options.Folder is null && !inApp);
        _folder = inMemory ? AuthorityFolder.InMemory(now) : AuthorityFolder.Open(options.Folder, now);
        _https = ReservedSocket.Bind(options.Port, inApp ? PreferredPort : 0);
        _files = ReservedSocket.Bind(options.FilesPort, inApp ? PreferredFilesPort : 0);
        DirectoryUrl = new Uri($"https://127.0.0.1:{AuthorityServer.PortOf(_https)}/directory");
        RevocationListUrl = new Uri(Files.RevocationListUrl);
    }

    /// <summary>Where the directory is.</summary>
    public Uri DirectoryUrl { get; }

    /// <summary>Where the CRL is, as in the certificates.</summary>
    public Uri RevocationListUrl { get; }

    /// <summary>The root that certificates and the authority's own HTTPS chain up to. Do not dispose it.</summary>
    public X509Certificate2 RootCertificate => _folder.Hierarchy.Root;

    /// <summary>The root at the end of the alternate chain. Do not dispose it.</summary>
    public X509Certificate2 AlternateRootCertificate => _folder.Hierarchy.AlternateRoot;

    /// <summary>The intermediate that signs certificates. Do not dispose it.</summary>
    public X509Certificate2 IntermediateCertificate => _folder.Hierarchy.Intermediate;

    /// <summary>A file with the root in PEM. It is deleted with the authority when nothing is kept.</summary>
    public string RootPemPath => _folder.RootPemPath;

    /// <summary>The root in PEM.</summary>
    public string RootPem => RootCertificate.ExportCertificatePem();

    /// <summary>What goes wrong on purpose.</summary>
    public AuthorityFaults Faults { get; }

    /// <summary>What is suggested as renewal windows.</summary>
    public RenewalSchedule RenewalInformation { get; } = new();

    /// <summary>The latest 100,000 requests, oldest first. An entry is there before its answer is sent.</summary>
    public IReadOnlyList<AuthorityRequest> Requests => _parts?.Pipeline.Requests.Snapshot() ?? [];

    /// <summary>The latest 100,000 validations that came to an end, oldest first.</summary>
    public IReadOnlyList<ValidationAttempt> Validations => _parts?.Validations.Snapshot() ?? [];

    /// <summary>The certificates issued since the start, oldest first.</summary>
    public IReadOnlyList<IssuedCertificate> Issued => _parts?.Certificates.Snapshot() ?? [];

    /// <summary>What is on the CRL, earliest revocation first.</summary>
    public IReadOnlyList<RevokedCertificate> Revoked => _folder.Revocations.Snapshot();

    private AuthorityFiles Files => new($"http://127.0.0.1:{AuthorityServer.PortOf(_files)}");

    /// <summary>Starts an authority.</summary>
    /// <param name="configure">Sets its options; null for the defaults: everything in memory, any free port.</param>
    /// <param name="cancellationToken">Gives up starting.</param>
    /// <returns>The authority, which already answers. Disposing it ends it.</returns>
    /// <exception cref="InvalidOperationException">A port that was named is taken, or the folder cannot be used.</exception>
    public static async Task<LocalAcmeAuthority> StartAsync(
        Action<LocalAcmeAuthorityOptions>? configure = null, CancellationToken cancellationToken = default)
    {
        var options = new LocalAcmeAuthorityOptions();
        configure?.Invoke(options);
        var authority = new LocalAcmeAuthority(options, inApp: false);
        try
        {
            await authority.ServeAsync(NullLogger.Instance, cancellationToken);
            return authority;
        }
        catch
        {
            await authority.DisposeAsync();
            throw;
        }
    }

    /// <summary>Points the validation of a name at an endpoint, for http-01 and tls-alpn-01 alike.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for one label below; <c>*</c> for all other names, those of this machine among them.</param>
    /// <param name="endpoint">Where it answers in place of its ports 80 and 443.</param>
    public void Resolve(string name, IPEndPoint endpoint) => Resolve(name, endpoint, endpoint);

    /// <summary>Points the validation of a name at two endpoints.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for one label below; <c>*</c> for all other names, those of this machine among them.</param>
    /// <param name="http">Where it answers in place of its port 80.</param>
    /// <param name="tls">Where it answers in place of its port 443.</param>
    public void Resolve(string name, IPEndPoint http, IPEndPoint tls)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _addresses.Map(name, new ValidationEndpoints(http, tls));
    }

    /// <summary>Forgets the request log.</summary>
    public void ClearRequests() => _parts?.Pipeline.Requests.Clear();

    /// <summary>Stops answering, cuts what is in flight, ends validations.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_parts is not null)
        {
            await _parts.DisposeAsync();
        }

        _https.Dispose();
        _files.Dispose();
        _folder.Dispose();
    }

    /// <summary>Starts answering. Clients that connect earlier wait: the sockets listen already.</summary>
    internal Task ServeAsync(ILogger logger, CancellationToken cancellationToken)
    {
        // Test and design-time tools follow the building of hosts through the execution context, and configure them: not this one.
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(() => BuildAndServeAsync(logger, cancellationToken), cancellationToken);
        }
    }

    private async Task BuildAndServeAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var log = new AuthorityLog(logger);
        _parts = new AuthorityParts(
            _options, _accounts, Faults, RenewalInformation, _addresses, _folder, Files, log);
        _server = new AuthorityServer(_https, _files, ServerCertificate.Create(_folder.Hierarchy), _parts.Pipeline);
        await _server.StartAsync(cancellationToken);
        log.Started(DirectoryUrl, RootPemPath);
    }
}
