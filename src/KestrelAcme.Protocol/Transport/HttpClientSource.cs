using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Makes the HTTP client that the options ask for.</summary>
internal static class HttpClientSource
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1";

    // For the whole of it, TLS included; the time for the addresses of the host, which are named one by one when it has passed, is shorter.
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(25);

    /// <summary>The client, and whether it is ours to dispose.</summary>
    public static (HttpClient Client, bool IsOwned) Create(AcmeClientOptions options, Uri directoryUrl)
    {
        if (options.HttpClient is not null && options.HttpMessageHandler is not null)
        {
            throw new ArgumentException("Set HttpClient or HttpMessageHandler, not both.", nameof(options));
        }

        if (options.HasTrustedRoots && (options.HttpClient is not null || options.HttpMessageHandler is not null))
        {
            throw new ArgumentException("TrustedRoots has no effect on an HttpClient or handler of your own: trust the roots there.", nameof(options));
        }

        if (options.HttpClient is { } client)
        {
            return (client, false);
        }

        return options.HttpMessageHandler is { } handler
            ? (NewClient(handler, disposeHandler: false), true)
            : (NewClient(NewHandler(options, directoryUrl), disposeHandler: true), true);
    }

    // Time-outs are per request and by the TimeProvider; HttpClient's own knows only the wall clock.
    private static HttpClient NewClient(HttpMessageHandler handler, bool disposeHandler) =>
        new(handler, disposeHandler) { Timeout = Timeout.InfiniteTimeSpan };

    private static SocketsHttpHandler NewHandler(AcmeClientOptions options, Uri directoryUrl) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = ConnectTimeout,
        ConnectCallback = GuardedConnection.WithinReachOf(directoryUrl, options.TimeProvider).ConnectAsync,
        // A new order sent on a connection that the server is closing is lost, and must not be repeated: keep connections no longer than
        // servers do.
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        MaxConnectionsPerServer = 16,
        SslOptions =
        {
            RemoteCertificateValidationCallback = new TrustedRootsValidation(RootsOf(options), options.TimeProvider).Validate,
            // The addresses of missing issuers are the words of a server that is not trusted yet.
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
        // A copy: the options are read once.
        X509Certificate2Collection given = [.. options.TrustedRoots ?? []];
        return options.TrustedRootsSource is { } source ? () => [.. given, .. source() ?? []] : () => given;
    }
}
