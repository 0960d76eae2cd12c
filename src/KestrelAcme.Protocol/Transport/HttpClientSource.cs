using System.Net;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Makes the HTTP client that the options ask for.</summary>
internal static class HttpClientSource
{
    /// <summary>The client, and whether it is ours to dispose.</summary>
    public static (HttpClient Client, bool IsOwned) Create(AcmeClientOptions options)
    {
        if (options.HttpClient is not null && options.HttpMessageHandler is not null)
        {
            throw new ArgumentException("Set HttpClient or HttpMessageHandler, not both.", nameof(options));
        }

        if (options.TrustedRoots is { Count: > 0 } && (options.HttpClient is not null || options.HttpMessageHandler is not null))
        {
            throw new ArgumentException("TrustedRoots has no effect on an HttpClient or handler of your own: trust the roots there.", nameof(options));
        }

        if (options.HttpClient is { } client)
        {
            return (client, false);
        }

        return options.HttpMessageHandler is { } handler
            ? (NewClient(handler, disposeHandler: false), true)
            : (NewClient(NewHandler(options), disposeHandler: true), true);
    }

    // Time-outs are per request and by the TimeProvider; HttpClient's own knows only the wall clock.
    private static HttpClient NewClient(HttpMessageHandler handler, bool disposeHandler) =>
        new(handler, disposeHandler) { Timeout = Timeout.InfiniteTimeSpan };

    private static SocketsHttpHandler NewHandler(AcmeClientOptions options)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(15),
            ConnectCallback = GuardedConnection.ConnectAsync,
            // A new order sent on a connection that the server is closing is lost, and must not be repeated: keep connections no longer than servers do.
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            MaxConnectionsPerServer = 16,
        };
        if (options.TrustedRoots is { Count: > 0 } roots)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = new TrustedRootsValidation([.. roots]).Validate;
        }

        return handler;
    }
}
