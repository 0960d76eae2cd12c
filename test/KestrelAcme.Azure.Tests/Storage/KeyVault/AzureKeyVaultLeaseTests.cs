using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

public sealed class AzureKeyVaultLeaseTests(AzuriteFixture azurite) : StorageLeaseContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);
}
