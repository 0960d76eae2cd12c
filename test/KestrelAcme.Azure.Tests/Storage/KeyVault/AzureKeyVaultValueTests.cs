using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

public sealed class AzureKeyVaultValueTests(AzuriteFixture azurite) : StorageValueContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);
}
