using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What Kestrel did with our set-up: whether it was used at all, and on which endpoints.</summary>
internal sealed class KestrelEndpoints
{
    private readonly Lock _gate = new();

    // Kestrel makes new options at each reload of its configuration; those of endpoints that are gone go too.
    private readonly List<WeakReference<HttpsEndpoint>> _https = [];
    private bool _isApplied;

    /// <summary>Whether Kestrel's options were set up with ours. Under TestServer, IIS and design-time tools they never are.</summary>
    public bool IsApplied => Volatile.Read(ref _isApplied);

    /// <summary>Whether at least one HTTPS endpoint serves our certificates. Meaningful once the server has started.</summary>
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

    /// <summary>Notes that Kestrel's options were set up.</summary>
    public void MarkApplied() => Volatile.Write(ref _isApplied, true);

    /// <summary>Notes HTTPS options that ours were laid over.</summary>
    public void Add(HttpsEndpoint endpoint)
    {
        lock (_gate)
        {
            _https.RemoveAll(known => !known.TryGetTarget(out _));
            _https.Add(new WeakReference<HttpsEndpoint>(endpoint));
        }
    }

    /// <summary>Lays ours over what the app has set since on the endpoints, but for those that must do without for now.</summary>
    /// <param name="http3">An endpoint on which HTTP/3 is about to be bound: its options must do without <c>OnAuthenticate</c> until then.</param>
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

    /// <summary>The HTTPS options of an endpoint that ours were laid over.</summary>
    public HttpsEndpoint? Find(ListenOptions listen)
    {
        lock (_gate)
        {
            return Alive().FirstOrDefault(endpoint => endpoint.Listen == listen);
        }
    }

    /// <summary>Lays ours over every endpoint, those with HTTP/3 too.</summary>
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
