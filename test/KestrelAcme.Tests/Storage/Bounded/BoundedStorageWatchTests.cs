using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

public sealed class BoundedStorageWatchTests : StorageWatchContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new BoundedFixture());
}
