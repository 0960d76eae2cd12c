using System.Globalization;
using KestrelAcme.Azure.Tests.Storage.Blobs;
using KestrelAcme.Azure.Tests.Storage.KeyVault;
using KestrelAcme.Storage.Contract;

namespace KestrelAcme.Azure.Tests.Storage;

/// <summary>The requests to Blob Storage, by the classes in which they are billed.</summary>
public sealed class AzureBlobCostTests(AzuriteFixture azurite) : StorageCostContract
{
    protected override string Column => "Blob Storage: requests";

    protected override async ValueTask<IStorageFixture> CreateAsync() => await BlobFixture.CreateAsync(azurite);

    protected override async Task<string> CountAsync(Func<Task> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var blobs = (BlobFixture)Fixture;
        blobs.Handler.Requests.Clear();
        await operation();
        return Describe(blobs.Handler.Requests, blobs.Name);
    }

    internal static string Describe(IEnumerable<string> requests, string container)
    {
        var kinds = requests.Select(request => request.Split(' ')[0] switch
        {
            "GET" when request.EndsWith($"/{container}", StringComparison.Ordinal) => "list",
            "GET" or "HEAD" => "read",
            "DELETE" => "delete",
            _ => "write",
        }).CountBy(kind => kind).OrderBy(kind => kind.Key, StringComparer.Ordinal);
        return string.Join(", ", kinds.Select(kind => string.Create(CultureInfo.InvariantCulture, $"{kind.Value} {kind.Key}")));
    }
}

/// <summary>The requests to Key Vault, and to the index in Blob Storage.</summary>
public sealed class AzureKeyVaultCostTests(AzuriteFixture azurite) : StorageCostContract
{
    protected override string Column => "Key Vault: requests";

    protected override async ValueTask<IStorageFixture> CreateAsync() => await KeyVaultFixture.CreateAsync(azurite);

    protected override async Task<string> CountAsync(Func<Task> operation)
    {
        ArgumentNullException.ThrowIfNull(operation);
        var vault = (KeyVaultFixture)Fixture;
        vault.Handler.Requests.Clear();
        vault.Index.Handler.Requests.Clear();
        await operation();
        var index = AzureBlobCostTests.Describe(vault.Index.Handler.Requests, vault.Index.Name);
        var secrets = vault.Handler.Requests.Count;
        return secrets == 0 ? index : string.Create(CultureInfo.InvariantCulture, $"{secrets} vault, {index}");
    }
}
