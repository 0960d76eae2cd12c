using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Creates the HTTP client according to the options.</summary>
internal static class HttpClientSource
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    // Includes TLS. Longer than the timeout of GuardedConnection, whose error lists each address of the host.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(25);

    /// <summary>Returns the client, and whether the caller has to dispose it.</summary>
    public static (HttpClient Client, bool IsOwned) Create(AcmeClientOptions options, Uri directoryUrl)
    {
        if (options.HttpClient is not null && options.HttpMessageHandler is not null)
        {
            throw new ArgumentException("Set HttpClient or HttpMessageHandler, not both.", nameof(options));
        }

        if (options.HasTrustedRoots && (options.HttpClient is not null || options.HttpMessageHandler is not null))
        {
            throw new ArgumentException(
                "TrustedRoots cannot be combined with HttpClient or HttpMessageHandler: configure trust on that client or handler.",
                nameof(options));
        }

        if (options.HttpClient is { } client)
        {
            return (client, false);
        }

        return options.HttpMessageHandler is { } handler
            ? (NewClient(handler, disposeHandler: false), true)
            : (NewClient(NewHandler(options, directoryUrl), disposeHandler: true), true);
    }

    // Timeouts apply per request and use the TimeProvider; HttpClient's own timeout knows only the system clock.
    private static HttpClient NewClient(HttpMessageHandler handler, bool disposeHandler) =>
        new(handler, disposeHandler) { Timeout = Timeout.InfiniteTimeSpan };

    private static SocketsHttpHandler NewHandler(AcmeClientOptions options, Uri directoryUrl) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        Proxy = new EnvironmentProxy(),
        ConnectTimeout = ConnectTimeout,
        ConnectCallback = GuardedConnection.WithinReachOf(directoryUrl, options.TimeProvider).ConnectAsync,
        // A new order sent on a connection that the server is closing is lost and must not be repeated, so connections are not kept
        // idle for longer than servers keep them.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        MaxConnectionsPerServer = 16,
        SslOptions =
        {
            RemoteCertificateValidationCallback = new TrustedRootsValidation(RootsOf(options), options.TimeProvider).Validate,
            // The URLs of missing issuers come from a server that is not trusted yet.
            CertificateChainPolicy = new X509ChainPolicy
            {
                DisableCertificateDownloads = true,
                RevocationMode = X509RevocationMode.NoCheck,
                ApplicationPolicy = { new Oid(ServerAuthentication) },
            },
        },
    };

    private static Func<X509Certificate2Collection?> RootsOf(AcmeClientOptions options)
    {
        // A copy, because the options are read once.
        X509Certificate2Collection given = [.. options.TrustedRoots ?? []];
        return options.TrustedRootsSource is { } source ? () => [.. given, .. source() ?? []] : () => given;
    }
}
