using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Orders;

/// <summary>The right to have some names validated; disposing it lets others have it.</summary>
internal sealed class TlsAlpnNameLock(IReadOnlyList<LeaseKeeper> leases, bool wasAwaited) : IAsyncDisposable
{
    /// <summary>Whether another order had one of the names when this one came.</summary>
    public bool WasAwaited => wasAwaited;

    public async ValueTask DisposeAsync()
    {
        foreach (var lease in leases)
        {
            await lease.DisposeAsync();
        }
    }
}
