using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage;

public sealed class InMemoryStorageLeaseTests : StorageLeaseContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new InMemoryFixture());
}
