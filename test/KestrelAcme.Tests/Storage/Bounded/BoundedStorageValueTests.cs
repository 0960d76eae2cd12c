using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.Bounded;

public sealed class BoundedStorageValueTests : StorageValueContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new BoundedFixture());
}
