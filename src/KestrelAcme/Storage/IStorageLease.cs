namespace KestrelAcme.Storage;

/// <summary>A lease that is held. Disposing it gives it back; it never removes a lease that another holder has taken since.</summary>
/// <remarks>Safe for concurrent use.</remarks>
public interface IStorageLease : IAsyncDisposable
{
    /// <summary>The name that was leased.</summary>
    string Name { get; }

    /// <summary>A number that grows with every lease given out under this name: a store refuses writes under a lower one.</summary>
    long FencingNumber { get; }

    /// <summary>Cancelled as soon as it is known, or must be assumed, that the lease has ended without being given back.</summary>
    CancellationToken Lost { get; }

    /// <summary>Extends the lease by its duration, counted from now.</summary>
    /// <returns><see langword="false"/> when the lease was already lost.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked; the lease may still hold until it runs out.</exception>
    ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default);
}
