namespace KestrelAcme.Storage;

/// <summary>Waits for a lease that others hold for moments: a limited time, since one that is held for ever would stall everything behind it in silence.</summary>
internal static class LeaseWait
{
    /// <param name="storage">The store.</param>
    /// <param name="name">The lease.</param>
    /// <param name="duration">How long it lasts without being renewed.</param>
    /// <param name="poll">The pause between two tries.</param>
    /// <param name="longest">The longest wait: longer than a lease that a dead process has left behind lasts.</param>
    /// <param name="time">The clock.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="StorageUnavailableException">The store could not be asked, or the lease was held for all of that time.</exception>
    public static async Task<IStorageLease> AcquireAsync(
        IAcmeStorage storage, string name, TimeSpan duration, TimeSpan poll, TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        for (var started = time.GetTimestamp(); ; await Task.Delay(poll, time, cancellationToken))
        {
            if (await storage.TryAcquireLeaseAsync(name, duration, cancellationToken) is { } lease)
            {
                return lease;
            }

            if (time.GetElapsedTime(started) >= longest)
            {
                throw new StorageUnavailableException(
                    $"The lease '{name}' has been held by somebody else for more than {longest.TotalMinutes:0.#} minutes, where seconds are enough. Look for an instance that hangs "
                    + "and shares this store, or for a store whose leases do not end, and remove the lease if nobody uses it. It is tried again.");
            }
        }
    }
}
