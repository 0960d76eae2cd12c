using Azure.Core;
using Azure.Security.KeyVault.Secrets;
using Azure.Storage.Blobs;
using KestrelAcme.Azure;
using KestrelAcme.Azure.Storage;
using KestrelAcme.Azure.Storage.Blobs;
using KestrelAcme.Azure.Storage.KeyVault;
using KestrelAcme.Storage;
using Microsoft.Extensions.Options;

// The namespace in which ASP.NET Core apps look for registration methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps accounts, certificates and their states in Azure, shared by all instances of an app.</summary>
public static class AzureStorageBuilderExtensions
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxRetryDelay = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan NetworkTimeout = TimeSpan.FromSeconds(20);

    /// <summary>Keeps accounts, certificates and their states in a container of Azure Blob Storage.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="container">The container, with the identity and the retries that the app has chosen.</param>
    /// <param name="configure">Changes the options; they are checked when the app starts.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToAzureBlob(
        this IAcmeHttpsBuilder builder, BlobContainerClient container, Action<AzureBlobStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(container);
        return builder.UseBlobs(container, AzureCredentials.SecretsOfEnvironment(), configure);
    }

    /// <summary>Keeps accounts, certificates and their states in a container of Azure Blob Storage.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="containerUrl">The container, such as <c>https://shop.blob.core.windows.net/kestrelacme</c>.</param>
    /// <param name="credential">
    /// The identity, such as <c>DefaultAzureCredential</c>. It needs the role <c>Storage Blob Data Contributor</c> on the container, or on
    /// the account if the container does not exist yet.
    /// </param>
    /// <param name="configure">Changes the options; they are checked when the app starts.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">The URL is not the HTTPS URL of a container.</exception>
    public static IAcmeHttpsBuilder PersistToAzureBlob(
        this IAcmeHttpsBuilder builder, Uri containerUrl, TokenCredential credential, Action<AzureBlobStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(credential);
        ThrowIfNotContainer(containerUrl, nameof(containerUrl));
        return builder.UseBlobs(
            new BlobContainerClient(containerUrl, credential, BlobOptions()), AzureCredentials.SecretsOfEnvironment(), configure);
    }

    /// <summary>Keeps accounts, certificates and their states in a container of Azure Blob Storage.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="connectionString">The connection string of the storage account. Keep it out of files under version control.</param>
    /// <param name="containerName">The name of the container, such as <c>kestrelacme</c>.</param>
    /// <param name="configure">Changes the options; they are checked when the app starts.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">
    /// The connection string or the name is not valid. The message does not quote the connection string.
    /// </exception>
    public static IAcmeHttpsBuilder PersistToAzureBlob(
        this IAcmeHttpsBuilder builder,
        string connectionString,
        string containerName,
        Action<AzureBlobStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var container = AzureStorageArguments.Open(connectionString, containerName, BlobOptions());
        return builder.UseBlobs(container, AzureStorageArguments.SecretsOf(connectionString), configure);
    }

    /// <summary>
    /// Keeps accounts, certificates and their states as secrets of an Azure key vault. A vault has no conditional writes, so that the
    /// leases, and which secrets are current, are in a container of Azure Blob Storage.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="vaultUrl">The vault, such as <c>https://shop.vault.azure.net/</c>.</param>
    /// <param name="indexContainerUrl">
    /// The container for the index, such as <c>https://shop.blob.core.windows.net/kestrelacme</c>. It holds no private key.
    /// </param>
    /// <param name="credential">
    /// The identity, such as <c>DefaultAzureCredential</c>. It needs the role <c>Key Vault Secrets Officer</c> on the vault and
    /// <c>Storage Blob Data Contributor</c> on the container, or on the account if the container does not exist yet.
    /// </param>
    /// <param name="configure">Changes the options; they are checked when the app starts.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">A URL is not the HTTPS URL of a vault or a container.</exception>
    public static IAcmeHttpsBuilder PersistToAzureKeyVault(
        this IAcmeHttpsBuilder builder,
        Uri vaultUrl,
        Uri indexContainerUrl,
        TokenCredential credential,
        Action<AzureKeyVaultStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(credential);
        AzureStorageArguments.ThrowIfNotVault(vaultUrl, nameof(vaultUrl));
        ThrowIfNotContainer(indexContainerUrl, nameof(indexContainerUrl));
        return builder.PersistToAzureKeyVault(
            new SecretClient(vaultUrl, credential, SecretOptions()),
            new BlobContainerClient(indexContainerUrl, credential, BlobOptions()),
            configure);
    }

    /// <summary>
    /// Keeps accounts, certificates and their states as secrets of an Azure key vault. A vault has no conditional writes, so that the
    /// leases, and which secrets are current, are in a container of Azure Blob Storage.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="vault">The vault, with the identity and the retries that the app has chosen.</param>
    /// <param name="index">The container for the index, likewise. It holds no private key.</param>
    /// <param name="configure">Changes the options; they are checked when the app starts.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder PersistToAzureKeyVault(
        this IAcmeHttpsBuilder builder,
        SecretClient vault,
        BlobContainerClient index,
        Action<AzureKeyVaultStorageOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(vault);
        ArgumentNullException.ThrowIfNull(index);
        builder.Services.AddOptions<AzureKeyVaultStorageOptions>().Configure(configure ?? (static _ => { })).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<AzureKeyVaultStorageOptions>>(
            new AzureStorageValidator<AzureKeyVaultStorageOptions>(options => options.Problems("PersistToAzureKeyVault")));
        return builder.UseStorage(services =>
        {
            var options = services.GetRequiredService<IOptions<AzureKeyVaultStorageOptions>>().Value;
            var time = services.GetRequiredService<TimeProvider>();
            var secrets = AzureCredentials.SecretsOfEnvironment();
            var blobs = new AzureBlobStorage(index, options.Index, secrets, time);
            return new AzureKeyVaultStorage(vault, blobs, options.SecretNamePrefix, secrets, time);
        });
    }

    private static IAcmeHttpsBuilder UseBlobs(
        this IAcmeHttpsBuilder builder,
        BlobContainerClient container,
        IReadOnlyList<string?> secrets,
        Action<AzureBlobStorageOptions>? configure)
    {
        builder.Services.AddOptions<AzureBlobStorageOptions>().Configure(configure ?? (static _ => { })).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<AzureBlobStorageOptions>>(
            new AzureStorageValidator<AzureBlobStorageOptions>(options => options.Problems("PersistToAzureBlob")));
        return builder.UseStorage(services => new AzureBlobStorage(
            container,
            services.GetRequiredService<IOptions<AzureBlobStorageOptions>>().Value,
            secrets,
            services.GetRequiredService<TimeProvider>()));
    }

    private static void ThrowIfNotContainer(Uri url, string name) => AzureStorageArguments.ThrowIfNotContainer(url, name);

    // KestrelAcme repeats a request that failed, so the client itself waits only briefly.
    private static BlobClientOptions BlobOptions() => WithRetries(new BlobClientOptions());

    private static SecretClientOptions SecretOptions() => WithRetries(new SecretClientOptions());

    private static TOptions WithRetries<TOptions>(TOptions options)
        where TOptions : ClientOptions
    {
        options.Retry.Delay = RetryDelay;
        options.Retry.MaxDelay = MaxRetryDelay;
        options.Retry.NetworkTimeout = NetworkTimeout;
        options.Diagnostics.ApplicationId = "KestrelAcme";
        return options;
    }
}
