using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemStorageWatchTests : StorageWatchContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture());
}
