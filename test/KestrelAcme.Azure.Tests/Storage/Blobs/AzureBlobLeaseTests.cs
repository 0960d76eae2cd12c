using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class AzureBlobLeaseTests(AzuriteFixture azurite) : StorageLeaseContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);
}
