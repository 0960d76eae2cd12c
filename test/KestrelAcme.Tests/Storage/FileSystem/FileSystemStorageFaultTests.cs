using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemStorageFaultTests : StorageFaultContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture());
}
