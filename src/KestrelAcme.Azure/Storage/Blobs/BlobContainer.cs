using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// The container: made at first use, refused if the public can read it, and every failure of a request explained. Thread-safe.
/// </summary>
internal sealed class BlobContainer
{
    private readonly BlobContainerClient _client;
    private readonly AzureService _service;
    private readonly string _prefix;
    private readonly bool _create;
    private volatile bool _ready;

    public BlobContainer(BlobContainerClient client, AzureBlobStorageOptions options, IEnumerable<string?> secrets)
    {
        _client = client;
        _prefix = options.Prefix.Length > 0 ? options.Prefix + "/" : "";
        _create = options.CreateContainer;
        // The query of the URL may be a shared access signature.
        Place = $"{client.Uri.Authority}{client.Uri.AbsolutePath}{(_prefix.Length > 0 ? $"/{options.Prefix}" : "")}";
        _service = new(Place, "'Storage Blob Data Contributor'", new SentSecrets([.. secrets, .. SecretsOf(client.Uri)]));
    }

    /// <summary>The host, the container and the prefix.</summary>
    public string Place { get; }

    public BlobClient Blob(string name) => _client.GetBlobClient(_prefix + name);

    public AppendBlobClient Log(string name) => _client.GetAppendBlobClient(_prefix + name);

    /// <summary>Lists blobs with their metadata.</summary>
    /// <returns>The names, without the container's prefix, and the metadata, page by page.</returns>
    public async IAsyncEnumerable<(string Name, IDictionary<string, string> Metadata)> ListAsync(
        string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? next = null;
        do
        {
            var page = await SendAsync(
                $"listing '{prefix}'",
                async token =>
                {
                    var options = new GetBlobsOptions { Traits = BlobTraits.Metadata, Prefix = _prefix + prefix };
                    await foreach (var one in _client.GetBlobsAsync(options, token).AsPages(next).WithCancellation(token))
                    {
                        return one;
                    }

                    return null;
                },
                cancellationToken);
            foreach (var blob in page?.Values ?? [])
            {
                yield return (blob.Name[_prefix.Length..], blob.Metadata);
            }

            next = page?.ContinuationToken;
        }
        while (!string.IsNullOrEmpty(next));
    }

    /// <summary>Sends a request, after the container was prepared.</summary>
    /// <exception cref="StorageUnavailableException">The request failed.</exception>
    public async Task<T> SendAsync<T>(string doing, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_ready)
        {
            _ready = await ExplainAsync("opening the container", PrepareAsync, cancellationToken);
        }

        return await ExplainAsync(doing, send, cancellationToken);
    }

    /// <summary>Whether a blob does not exist. Another 404, such as that of a proxy, is a failure and never "missing".</summary>
    public static bool IsMissing(RequestFailedException exception)
        => exception.Status == 404 && exception.ErrorCode == BlobErrorCode.BlobNotFound;

    /// <summary>Whether the condition of a request did not hold, because somebody else was first.</summary>
    public static bool IsConflict(RequestFailedException exception)
        => (exception.Status == 412 && exception.ErrorCode == BlobErrorCode.ConditionNotMet)
            || (exception.Status == 409 && exception.ErrorCode == BlobErrorCode.BlobAlreadyExists);

    /// <summary>The server's clock, in whole seconds.</summary>
    public DateTimeOffset DateOf(Response? response) => response?.Headers.Date
        ?? throw new StorageUnavailableException(
            $"{Place}: the answer has no Date header, without which leases cannot be counted. Remove the proxy that drops it.");

    private async Task<bool> PrepareAsync(CancellationToken cancellationToken)
    {
        try
        {
            var properties = await _client.GetPropertiesAsync(cancellationToken: cancellationToken);
            if (properties.Value.PublicAccess is { } access && access != PublicAccessType.None)
            {
                throw new StorageUnavailableException(
                    $"{Place}: the container allows public access ({access}), so everybody could read the private keys in it. Nothing is "
                    + "stored there. Remove it: az storage container set-permission --public-access off.");
            }
        }
        catch (RequestFailedException exception) when (exception.Status == 403 && _client.Uri.Query.Length > 0)
        {
            // A signature for the container's blobs cannot ask for the container itself; the first blob tells whether it works.
        }
        catch (RequestFailedException exception) when (_create && exception.ErrorCode == BlobErrorCode.ContainerNotFound)
        {
            await CreateAsync(cancellationToken);
        }

        return true;
    }

    private async Task CreateAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _client.CreateAsync(PublicAccessType.None, cancellationToken: cancellationToken);
        }
        catch (RequestFailedException exception) when (exception.ErrorCode == BlobErrorCode.ContainerAlreadyExists)
        {
            // Another instance was first.
        }
    }

    private async Task<T> ExplainAsync<T>(string doing, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        try
        {
            return await send(cancellationToken);
        }
        catch (Exception exception) when (AzureStorageFailures.IsFailure(exception, cancellationToken))
        {
            if (exception is RequestFailedException refused && refused.ErrorCode == BlobErrorCode.ContainerNotFound)
            {
                // It was deleted: the next request makes it anew.
                _ready = false;
            }

            throw AzureStorageFailures.Explain(exception, _service, doing);
        }
    }

    private static IEnumerable<string?> SecretsOf(Uri url)
        => url.Query.TrimStart('?').Split('&').Where(part => part.StartsWith("sig=", StringComparison.OrdinalIgnoreCase))
            .Select(part => Uri.UnescapeDataString(part["sig=".Length..]).TrimEnd('='));
}
