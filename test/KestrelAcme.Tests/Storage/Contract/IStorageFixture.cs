using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Storage.Contract;

/// <summary>
/// What every storage is tested against. The suites use the public API only: a test project of another storage compiles these files in
/// and derives one class from each of <see cref="StorageValueContract"/>,
/// <see cref="StorageLeaseContract"/> and <see cref="StorageWatchContract"/>.
/// </summary>
public interface IStorageFixture : IAsyncDisposable
{
    /// <summary>
    /// Opens the store again, as another instance of the app does. Returns the same object if the store cannot be shared.
    /// </summary>
    IAcmeStorage Open();

    /// <summary>Lets time pass for all instances: advances a fake clock, or waits if the server has its own clock.</summary>
    Task PassAsync(TimeSpan span);
}
