using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.Certificates.Scheduling;

/// <summary>A store that counts how often it is checked, and can be made to fail the check.</summary>
internal sealed class CheckedStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private int _count;

    public bool Responds { get; set; } = true;

    public int Count => Volatile.Read(ref _count);

    public override ValueTask<StorageHealth> CheckAsync(CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _count);
        return Responds ? base.CheckAsync(cancellationToken) : throw new StorageUnavailableException("It does not respond.");
    }
}
