using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

public sealed class BoundedStorageLeaseTests : StorageLeaseContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new BoundedFixture());
}
