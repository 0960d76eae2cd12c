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
/// An in-process ACME CA (RFC 8555, 8737, 8738, 9773) for tests and development, only on 127.0.0.1. It performs real checks and
/// validations. Nobody trusts its root unless configured to. Thread-safe.
/// </summary>
public sealed class LocalAcmeAuthority : IAsyncDisposable
{
    private const int PreferredPort = 8555;
    private const int PreferredFilesPort = 8556;

    private readonly LocalAcmeAuthorityOptions _options;
    private readonly bool _inApp;
    private readonly AccountRegistry _accounts = new();
    private readonly ValidationAddresses _addresses;
    private readonly Lock _gate = new();
    private Reservation? _reserved;
    private AuthorityParts? _parts;
    private AuthorityServer? _server;
    private bool _disposed;

    /// <summary>
    /// Takes neither a port nor a file before they are needed: by <see cref="ServeAsync"/>, or by a property that depends on them.
    /// </summary>
    internal LocalAcmeAuthority(LocalAcmeAuthorityOptions options, bool inApp)
    {
        _options = options;
        _inApp = inApp;
        _addresses = new ValidationAddresses(options);
        foreach (var (name, endpoints) in options.Addresses)
        {
            _addresses.Map(name, endpoints);
        }

        Faults = new AuthorityFaults(_accounts);
    }

    /// <summary>The URL of the directory.</summary>
    public Uri DirectoryUrl => Reserved.DirectoryUrl;

    /// <summary>The URL of the CRL, as in the certificates.</summary>
    public Uri RevocationListUrl => new(Reserved.Files.RevocationListUrl);

    /// <summary>The root of issued certificates and of the CA's own HTTPS certificate. Do not dispose it.</summary>
    public X509Certificate2 RootCertificate => Reserved.Folder.Hierarchy.Root;

    /// <summary>The root of the alternate chain. Do not dispose it.</summary>
    public X509Certificate2 AlternateRootCertificate => Reserved.Folder.Hierarchy.AlternateRoot;

    /// <summary>The intermediate that signs certificates. Do not dispose it.</summary>
    public X509Certificate2 IntermediateCertificate => Reserved.Folder.Hierarchy.Intermediate;

    /// <summary>The path of a PEM file with the root certificate. If nothing is stored, it is deleted together with the CA.</summary>
    public string RootPemPath => Reserved.Folder.RootPemPath;

    /// <summary>The root certificate in PEM.</summary>
    public string RootPem => RootCertificate.ExportCertificatePem();

    /// <summary>Faults to inject.</summary>
    public AuthorityFaults Faults { get; }

    /// <summary>The suggested renewal windows.</summary>
    public RenewalSchedule RenewalInformation { get; } = new();

    /// <summary>The latest 100,000 requests, oldest first. An entry is added before its response is sent.</summary>
    public IReadOnlyList<AuthorityRequest> Requests => _parts?.Pipeline.Requests.Snapshot() ?? [];

    /// <summary>The latest 100,000 completed validations, oldest first.</summary>
    public IReadOnlyList<ValidationAttempt> Validations => _parts?.Validations.Snapshot() ?? [];

    /// <summary>The certificates issued since the start, oldest first.</summary>
    public IReadOnlyList<IssuedCertificate> Issued => _parts?.Certificates.Snapshot() ?? [];

    /// <summary>The entries of the CRL, earliest revocation first.</summary>
    public IReadOnlyList<RevokedCertificate> Revoked => Reserved.Folder.Revocations.Snapshot();

    // A failure is not kept: the next use tries again.
    private Reservation Reserved
    {
        get
        {
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_disposed && _reserved is null, this);
                return _reserved ??= Reservation.Create(_options, _inApp);
            }
        }
    }

    /// <summary>Starts a CA.</summary>
    /// <param name="configure">Configures the options; null for the defaults: everything in memory, any free port.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    /// <returns>The running CA. Dispose it to stop it.</returns>
    /// <exception cref="InvalidOperationException">A configured port is taken, or the folder cannot be used.</exception>
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

    /// <summary>Directs the validation of a name to an endpoint, for both http-01 and tls-alpn-01.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for all names one label below; <c>*</c> for all other names,
    /// including local ones.</param>
    /// <param name="endpoint">The endpoint to use instead of ports 80 and 443 of the name.</param>
    public void Resolve(string name, IPEndPoint endpoint) => Resolve(name, endpoint, endpoint);

    /// <summary>Directs the validation of a name to two endpoints.</summary>
    /// <param name="name">The name or address; <c>*.example.test</c> for all names one label below; <c>*</c> for all other names,
    /// including local ones.</param>
    /// <param name="http">The endpoint to use instead of port 80 of the name.</param>
    /// <param name="tls">The endpoint to use instead of port 443 of the name.</param>
    public void Resolve(string name, IPEndPoint http, IPEndPoint tls)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        _addresses.Map(name, new ValidationEndpoints(http, tls));
    }

    /// <summary>Clears the request log.</summary>
    public void ClearRequests() => _parts?.Pipeline.Requests.Clear();

    /// <summary>Stops the CA: aborts requests in progress and cancels validations.</summary>
    public async ValueTask DisposeAsync()
    {
        Reservation? reserved;
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            reserved = _reserved;
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_parts is not null)
        {
            await _parts.DisposeAsync();
        }

        reserved?.Dispose();
    }

    /// <summary>Starts serving. Clients that connect earlier wait: the sockets listen as soon as this method is called.</summary>
    /// <exception cref="InvalidOperationException">A configured port is taken, or the folder cannot be used.</exception>
    internal Task ServeAsync(ILogger logger, CancellationToken cancellationToken)
    {
        var reserved = Reserved;

        // Test and design-time tools observe host building through the execution context and would configure this host, too.
        using (ExecutionContext.SuppressFlow())
        {
            return Task.Run(() => BuildAndServeAsync(reserved, logger, cancellationToken), cancellationToken);
        }
    }

    private async Task BuildAndServeAsync(Reservation reserved, ILogger logger, CancellationToken cancellationToken)
    {
        var (log, folder) = (new AuthorityLog(logger), reserved.Folder);
        _parts = new AuthorityParts(
            _options, _accounts, Faults, RenewalInformation, _addresses, folder, reserved.Files, log);
        var certificate = ServerCertificate.Create(folder.Hierarchy);
        _server = new AuthorityServer(reserved.HttpsSocket, reserved.FilesSocket, certificate, _parts.Pipeline);
        await _server.StartAsync(cancellationToken);
        log.Started(DirectoryUrl, RootPemPath);
        if (folder.IsKept && !NameConstraints.Of(_options.PermittedNames).IsSameAs(folder.Hierarchy.Constraints))
        {
            log.OtherConstraints(RootPemPath, folder.Hierarchy.Constraints?.ToString() ?? "all names");
        }
    }

    /// <summary>The listening sockets and the root, which the URLs and paths are known by.</summary>
    private sealed record Reservation(Socket HttpsSocket, Socket FilesSocket, AuthorityFolder Folder) : IDisposable
    {
        public Uri DirectoryUrl { get; } = new($"https://127.0.0.1:{AuthorityServer.PortOf(HttpsSocket)}/directory");

        public AuthorityFiles Files { get; } = new($"http://127.0.0.1:{AuthorityServer.PortOf(FilesSocket)}");

        public static Reservation Create(LocalAcmeAuthorityOptions options, bool inApp)
        {
            Socket? https = null;
            Socket? files = null;
            try
            {
                // The ports come first: if one is taken, no file is left behind.
                https = ReservedSocket.Bind(options.Port, inApp ? PreferredPort : 0);
                files = ReservedSocket.Bind(options.FilesPort, inApp ? PreferredFilesPort : 0);
                var now = options.TimeProvider.GetUtcNow();
                return new Reservation(
                    https,
                    files,
                    options.InMemory || (options.Folder is null && !inApp)
                        ? AuthorityFolder.InMemory(now)
                        : AuthorityFolder.Open(options.Folder, now, NameConstraints.Of(options.PermittedNames)));
            }
            catch
            {
                https?.Dispose();
                files?.Dispose();
                throw;
            }
        }

        public void Dispose()
        {
            HttpsSocket.Dispose();
            FilesSocket.Dispose();
            Folder.Dispose();
        }
    }
}
