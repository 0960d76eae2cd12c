namespace KestrelAcme.Storage.Contract;

/// <summary>
/// A store under test. A test project derives one class from each of <see cref="StorageValueContract"/>,
/// <see cref="StorageLeaseContract"/>, <see cref="StorageWatchContract"/> and <see cref="StorageFaultContract"/>, and creates a fixture
/// with an empty store for each test.
/// </summary>
public interface IStorageFixture : IAsyncDisposable
{
    /// <summary>
    /// Opens the store again, as another instance of the app on another machine does. Returns the same object if the store cannot be
    /// shared.
    /// </summary>
    /// <param name="clockOffset">
    /// How far the wall clock of that machine is ahead of the others'. A store whose leases depend on it fails the suite.
    /// </param>
    IAcmeStorage Open(TimeSpan clockOffset = default);

    /// <summary>Lets time pass for all instances: advances a fake clock, or waits if the server has its own clock.</summary>
    Task PassAsync(TimeSpan span);

    /// <summary>Makes the store unreachable for all open instances, such as by stopping its server.</summary>
    /// <returns><see langword="false"/> if this store is always reachable; its tests are skipped.</returns>
    Task<bool> BreakAsync();

    /// <summary>Makes the store reachable again, with what was stored before.</summary>
    Task RestoreAsync();

    /// <summary>Removes everything from the store behind its back: values, leases and numbers, such as by a flush or a new disk.</summary>
    /// <returns><see langword="false"/> if nobody can do that to this store; its tests are skipped.</returns>
    Task<bool> EmptyAsync();
}
