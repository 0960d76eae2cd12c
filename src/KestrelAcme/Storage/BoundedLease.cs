namespace KestrelAcme.Storage;

/// <summary>A lease of a <see cref="BoundedStorage"/>.</summary>
internal sealed class BoundedLease(IStorageLease inner, BoundedStorage storage) : IStorageLease
{
    public string Name => inner.Name;

    public long FencingNumber => inner.FencingNumber;

    public CancellationToken Lost => inner.Lost;

    private IStorageLease Inner => inner;

    /// <summary>The lease as the store gave it out.</summary>
    public static IStorageLease? Unwrap(IStorageLease? lease) => lease is BoundedLease bounded ? bounded.Inner : lease;

    public async ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
        => await storage.WithinAsync($"renewing the lease '{Name}'", inner.RenewAsync, cancellationToken);

    public async ValueTask DisposeAsync()
        => await storage.WithinAsync(
            $"giving back the lease '{Name}'",
            async _ =>
            {
                await inner.DisposeAsync();
                return true;
            },
            CancellationToken.None);
}
