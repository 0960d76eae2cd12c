using System.Net;

namespace KestrelAcme.Challenges.Http01;

/// <summary>Counts the requests for one token, which only this side of a validation knows.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TokenRequests
{
    private const int MaxAddresses = 64;

    private readonly Lock _lock = new();
    private readonly HashSet<IPAddress> _addresses = [];
    private int _count;

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    public int Addresses
    {
        get
        {
            lock (_lock)
            {
                return _addresses.Count;
            }
        }
    }

    public void Add(IPAddress? address)
    {
        lock (_lock)
        {
            _count++;
            if (address is not null && _addresses.Count < MaxAddresses)
            {
                _addresses.Add(address);
            }
        }
    }
}
