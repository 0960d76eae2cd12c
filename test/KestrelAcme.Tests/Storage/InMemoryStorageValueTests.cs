using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage;

public sealed class InMemoryStorageValueTests : StorageValueContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new InMemoryFixture());
}
