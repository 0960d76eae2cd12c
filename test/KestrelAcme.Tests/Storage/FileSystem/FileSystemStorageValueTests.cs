using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemStorageValueTests : StorageValueContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture());
}
