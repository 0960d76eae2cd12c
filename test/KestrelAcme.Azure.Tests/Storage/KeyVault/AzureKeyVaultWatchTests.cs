using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage.KeyVault;

public sealed class AzureKeyVaultWatchTests(AzuriteFixture azurite) : StorageWatchContract
{
    // More than the feed holds; each is several requests.
    protected override int ManyChanges => 1100;

    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);
}
