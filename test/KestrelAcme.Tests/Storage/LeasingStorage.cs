using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Storage;

/// <summary>A store that returns one lease and supports nothing else.</summary>
internal sealed class LeasingStorage(IStorageLease lease) : DelegatingStorage
{
    public override ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
        => new(lease);
}
