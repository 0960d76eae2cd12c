using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Tests.Storage.FileSystem;

public sealed class FileSystemStorageLeaseTests : StorageLeaseContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture());
}

/// <summary>The same on a share that is mounted on each host with locks of its own.</summary>
public sealed class FileSystemStorageLocalLocksTests : StorageLeaseContract
{
    protected override ValueTask<IStorageFixture> CreateAsync() => new(new FileSystemFixture { LocksAreLocal = true });
}
