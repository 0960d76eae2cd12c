using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage;

public sealed class InMemoryStorageWatchTests : StorageWatchContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new InMemoryFixture());
}
