using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.Blobs;

public sealed class AzureBlobFaultTests(AzuriteFixture azurite) : StorageFaultContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);
}
