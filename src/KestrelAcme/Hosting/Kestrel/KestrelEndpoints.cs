using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What Kestrel did with our set-up: whether it was used at all, and on which endpoints.</summary>
internal sealed class KestrelEndpoints
{
    private readonly Lock _gate = new();

    // Kestrel makes new options at each reload of its configuration; those of endpoints that are gone go too.
    private readonly List<WeakReference<HttpsEndpoint>> _https = [];
    private readonly List<string> _httpsNames = [];
    private readonly List<string> _httpNames = [];
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

    /// <summary>The HTTPS endpoints that were built, as Kestrel names them.</summary>
    public IReadOnlyList<string> HttpsNames => Copy(_httpsNames);

    /// <summary>The plain endpoints that were built, as Kestrel names them: one of them must be reached on port 80 for http-01.</summary>
    public IReadOnlyList<string> HttpNames => Copy(_httpNames);

    /// <summary>Whether an HTTPS endpoint exists that the ClientHello middleware does not reach.</summary>
    public bool AnyWithoutPeek
    {
        get
        {
            lock (_gate)
            {
                return Alive().Any(endpoint => endpoint.IsOurs && endpoint.Listen is null);
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

    /// <summary>Notes that an endpoint is built, and lays ours over what the app has set since.</summary>
    /// <param name="listen">The endpoint.</param>
    /// <param name="isHttps">Whether it has TLS.</param>
    /// <param name="http3">The endpoint again when HTTP/3 is about to be bound on it too: its options must do without <c>OnAuthenticate</c> until then.</param>
    public void Build(ListenOptions listen, bool isHttps, ListenOptions? http3)
    {
        lock (_gate)
        {
            Note(isHttps ? _httpsNames : _httpNames, listen.ToString() ?? "");
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
    public void Settle()
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

    private static void Note(List<string> names, string name)
    {
        if (!names.Contains(name))
        {
            names.Add(name);
        }
    }

    private string[] Copy(List<string> names)
    {
        lock (_gate)
        {
            return [.. names];
        }
    }
}
