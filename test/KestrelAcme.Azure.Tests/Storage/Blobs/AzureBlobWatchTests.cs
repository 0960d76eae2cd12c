using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class AzureBlobWatchTests(AzuriteFixture azurite) : StorageWatchContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);
}
