using KestrelAcme.Protocol.Jose;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Keeps the nonces from responses (RFC 8555 section 6.5). The newest is used first; old ones are dropped. Thread-safe.</summary>
internal sealed class NoncePool(TimeProvider timeProvider)
{
    private const int MaxCount = 64;
    private const int MaxLength = 1024;
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(10);

    private readonly Lock _gate = new();
    private readonly LinkedList<Nonce> _nonces = new();

    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _nonces.Count;
            }
        }
    }

    /// <summary>Whether RFC 8555 section 6.5.1 allows the nonce; any other must be ignored.</summary>
    public static bool IsValid(string? nonce) => nonce is { Length: > 0 and <= MaxLength }
        && Base64UrlAlphabet.IsMatch(nonce);

    public void Add(string? nonce)
    {
        if (!IsValid(nonce))
        {
            return;
        }

        lock (_gate)
        {
            _nonces.AddFirst(new Nonce(nonce!, timeProvider.GetTimestamp()));
            if (_nonces.Count > MaxCount)
            {
                _nonces.RemoveLast();
            }
        }
    }

    public string? TryTake()
    {
        lock (_gate)
        {
            if (_nonces.First is not { } newest)
            {
                return null;
            }

            if (timeProvider.GetElapsedTime(newest.Value.Since) > MaxAge)
            {
                _nonces.Clear();
                return null;
            }

            _nonces.RemoveFirst();
            return newest.Value.Value;
        }
    }

    /// <summary>Drops all nonces, because the server has rejected a newer one.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            _nonces.Clear();
        }
    }

    private sealed record Nonce(string Value, long Since);
}
