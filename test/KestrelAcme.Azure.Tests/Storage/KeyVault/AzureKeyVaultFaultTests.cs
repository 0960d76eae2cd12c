using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

public sealed class AzureKeyVaultFaultTests(AzuriteFixture azurite) : StorageFaultContract
{
    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);
}
