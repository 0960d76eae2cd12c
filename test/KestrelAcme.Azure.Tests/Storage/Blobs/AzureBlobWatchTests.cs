using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class AzureBlobWatchTests(AzuriteFixture azurite) : StorageWatchContract
{
    // More than the feed holds; each is several requests.
    protected override int ManyChanges => 1100;

    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);
}
