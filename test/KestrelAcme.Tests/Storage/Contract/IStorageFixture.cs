using KestrelAcme.Storage;

namespace KestrelAcme.Tests.Storage.Contract;

/// <summary>
/// What every storage is tested against. The suites use the public API only: a test project of another storage compiles these files in
/// and derives one class from each of <see cref="StorageValueContract"/>, <see cref="StorageLeaseContract"/> and <see cref="StorageWatchContract"/>.
/// </summary>
public interface IStorageFixture : IAsyncDisposable
{
    /// <summary>Opens the store once more, as another instance of the app would. One that cannot be shared gives the same object again.</summary>
    IAcmeStorage Open();

    /// <summary>Lets time pass for all instances: a fake clock's, or, where the server has its own clock, real time.</summary>
    Task PassAsync(TimeSpan span);
}
