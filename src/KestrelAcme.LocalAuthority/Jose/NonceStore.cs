using System.Security.Cryptography;

namespace KestrelAcme.LocalAuthority.Jose;

/// <summary>
/// Stores nonces that were issued but not used yet (RFC 8555 section 6.5). If there are too many, the oldest are
/// dropped.
/// </summary>
internal sealed class NonceStore(int capacity = 100_000)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _unused = [];
    private readonly Queue<string> _order = new();

    public string Create()
    {
        var nonce = Base64UrlText.Encode(RandomNumberGenerator.GetBytes(16));
        lock (_gate)
        {
            while (_order.Count >= capacity)
            {
                _unused.Remove(_order.Dequeue());
            }

            _unused.Add(nonce);
            _order.Enqueue(nonce);
        }

        return nonce;
    }

    /// <summary>Returns true once for each nonce.</summary>
    public bool TryUse(string nonce)
    {
        lock (_gate)
        {
            return _unused.Remove(nonce);
        }
    }
}
