using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemStorageLeaseTests : StorageLeaseContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture());
}
