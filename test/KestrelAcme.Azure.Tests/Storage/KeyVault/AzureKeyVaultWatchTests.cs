using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

public sealed class AzureKeyVaultWatchTests(AzuriteFixture azurite) : StorageWatchContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);
}
