using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class AzureBlobValueTests(AzuriteFixture azurite) : StorageValueContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);
}
