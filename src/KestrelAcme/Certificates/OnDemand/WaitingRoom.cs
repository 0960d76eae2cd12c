namespace KestrelAcme.Certificates.OnDemand;

/// <summary>Counts what waits: at most so many in all, and so many because of one network, with the bytes that they keep.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class WaitingRoom
{
    // What a ClientHello takes, on average; the largest have 64 KB.
    private const long BytesPerConnection = 8 * 1024;
    private const long LargestHello = 128 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, (int Count, long Bytes)> _byNetwork = new(StringComparer.Ordinal);
    private int _count;
    private long _bytes;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Enters, unless it is full. Clients whose network is not known have no limit of their own.</summary>
    public bool TryEnter(string? network, long length, int most, int mostOfNetwork)
    {
        lock (_gate)
        {
            if (!Fits(_count, _bytes, length, most))
            {
                return false;
            }

            if (network is not null)
            {
                var (count, bytes) = _byNetwork.GetValueOrDefault(network);
                if (!Fits(count, bytes, length, mostOfNetwork))
                {
                    return false;
                }

                _byNetwork[network] = (count + 1, bytes + length);
            }

            (_count, _bytes) = (_count + 1, _bytes + length);
            return true;
        }
    }

    public void Leave(string? network, long length)
    {
        lock (_gate)
        {
            (_count, _bytes) = (_count - 1, _bytes - length);
            if (network is null)
            {
                return;
            }

            var (count, bytes) = _byNetwork[network];
            if (count == 1)
            {
                _byNetwork.Remove(network);
            }
            else
            {
                _byNetwork[network] = (count - 1, bytes - length);
            }
        }
    }

    private static bool Fits(int count, long bytes, long length, int most)
        => count < most && bytes + length <= Math.Max(most * BytesPerConnection, LargestHello);
}
