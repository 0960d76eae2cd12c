using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Tracks whether Kestrel used the setup of KestrelAcme, and for which endpoints.</summary>
internal sealed class KestrelEndpoints
{
    private readonly Lock _gate = new();

    // Weak references, since Kestrel creates new options when it reloads its configuration, and drops those of closed endpoints.
    private readonly List<WeakReference<HttpsEndpoint>> _https = [];
    private bool _isApplied;

    /// <summary>Whether Kestrel's options were set up. With TestServer, IIS and design-time tools, they never are.</summary>
    public bool IsApplied => Volatile.Read(ref _isApplied);

    /// <summary>Whether at least one HTTPS endpoint serves KestrelAcme's certificates. Meaningful after the server has started.</summary>
    public bool AnyIsOurs
    {
        get
        {
            lock (_gate)
            {
                return Alive().Any(endpoint => endpoint.IsOurs);
            }
        }
    }

    /// <summary>Records that Kestrel's options were set up.</summary>
    public void MarkApplied() => Volatile.Write(ref _isApplied, true);

    /// <summary>Adds the HTTPS options of an endpoint.</summary>
    public void Add(HttpsEndpoint endpoint)
    {
        lock (_gate)
        {
            _https.RemoveAll(known => !known.TryGetTarget(out _));
            _https.Add(new WeakReference<HttpsEndpoint>(endpoint));
        }
    }

    /// <summary>Wraps what the app set on its endpoints since, except on those that wait for HTTP/3.</summary>
    /// <param name="http3">
    /// An endpoint for which HTTP/3 is about to be bound, whose options must not have <c>OnAuthenticate</c> until then.
    /// </param>
    public void Settle(ListenOptions? http3)
    {
        lock (_gate)
        {
            foreach (var endpoint in Alive())
            {
                if (http3 is not null && endpoint.Listen == http3)
                {
                    endpoint.UseSelectorOnly();
                }
                else if (!endpoint.IsSelectorOnly)
                {
                    endpoint.Settle();
                }
            }
        }
    }

    /// <summary>
    /// Whether it is known to which HTTPS endpoint each of the options belongs. An HTTPS endpoint without such options then chooses its
    /// certificates in another way, such as with a callback for each handshake.
    /// </summary>
    public bool AllHaveTheirEndpoint
    {
        get
        {
            lock (_gate)
            {
                return Alive().All(endpoint => endpoint.Listen is { } listen && EndpointDefaultsCopy.IsHttps(listen));
            }
        }
    }

    /// <summary>Returns the HTTPS options of an endpoint, or <see langword="null"/> if they are unknown.</summary>
    public HttpsEndpoint? Find(ListenOptions listen)
    {
        lock (_gate)
        {
            return Alive().FirstOrDefault(endpoint => endpoint.Listen == listen);
        }
    }

    /// <summary>Wraps what the app set on all endpoints, including those with HTTP/3.</summary>
    public void SettleAll()
    {
        lock (_gate)
        {
            foreach (var endpoint in Alive())
            {
                endpoint.Settle();
            }
        }
    }

    private IEnumerable<HttpsEndpoint> Alive()
    {
        foreach (var known in _https)
        {
            if (known.TryGetTarget(out var endpoint))
            {
                yield return endpoint;
            }
        }
    }
}
