using Azure;
using Azure.Security.KeyVault.Secrets;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Azure.Storage.KeyVault;

/// <summary>
/// The secrets of a vault. Each write makes secrets with new names, since the name of a deleted secret cannot be used again until it is
/// purged, which the vault may forbid. So the vault holds one secret for each current value, old versions never pile up, and what was
/// replaced is purged by the vault after its retention period. Thread-safe.
/// </summary>
internal sealed class SecretVault
{
    /// <summary>The longest part, in bytes: 24,000 characters in Base64. A secret holds 25 KB.</summary>
    public const int MaxPartLength = 18_000;

    private const int Parallel = 8;
    private const int MaxReadableLength = 60;
    private const int MaxTagLength = 256;
    private static readonly TimeSpan RecoveryPoll = TimeSpan.FromSeconds(1);

    private readonly SecretClient _client;
    private readonly string _prefix;
    private readonly AzureService _service;

    public SecretVault(SecretClient client, string prefix, IEnumerable<string?> secrets)
    {
        _client = client;
        _prefix = prefix;
        _service = new(client.VaultUri.Authority, "'Key Vault Secrets Officer'", new SentSecrets(secrets));
    }

    public string Place => _service.Place;

    /// <summary>Stores a value under a new name.</summary>
    public async Task<SecretPointer> SaveAsync(string key, ReadOnlyMemory<byte> value, CancellationToken cancellationToken)
    {
        var pointer = new SecretPointer(NewName(key), [], value.Length);
        var versions = new string[(value.Length + MaxPartLength - 1) / MaxPartLength];
        await EachAsync(
            versions.Length,
            async (part, token) =>
            {
                var start = part * MaxPartLength;
                var text = Convert.ToBase64String(value.Slice(start, Math.Min(MaxPartLength, value.Length - start)).Span);
                var secret = new KeyVaultSecret(pointer.NameOf(part), text);
                secret.Properties.ContentType = $"KestrelAcme; base64; part {part + 1} of {versions.Length}";
                secret.Properties.Tags["key"] = key.Length <= MaxTagLength ? key : key[..MaxTagLength];
                var answer = await SendAsync($"writing '{key}'", one => _client.SetSecretAsync(secret, one), token);
                versions[part] = answer.Value.Properties.Version;
            },
            cancellationToken);
        return pointer with { Versions = versions };
    }

    /// <summary>Reads a value; <see langword="null"/> if one of its secrets does not exist.</summary>
    public async Task<byte[]?> ReadAsync(string key, SecretPointer pointer, CancellationToken cancellationToken)
    {
        var parts = new byte[]?[pointer.Versions.Count];
        await EachAsync(parts.Length, async (part, token) => parts[part] = await ReadAsync(key, pointer, part, token), cancellationToken);
        if (parts.Contains(null))
        {
            return null;
        }

        byte[] value = [.. parts.SelectMany(part => part!)];
        return value.Length == pointer.Length
            ? value
            : throw new StorageUnavailableException(
                $"{Place}: the secrets of '{key}' hold {value.Length} bytes instead of {pointer.Length}. Somebody has changed them: "
                + "restore them, or delete the value's blob in the index to have it made anew.");
    }

    /// <summary>Deletes the secrets of a value that was replaced or deleted.</summary>
    public Task DeleteAsync(string key, SecretPointer pointer, CancellationToken cancellationToken) => EachAsync(
        pointer.Versions.Count,
        async (part, token) => await SendAsync(
            $"deleting the old secret of '{key}'",
            async one =>
            {
                try
                {
                    await _client.StartDeleteSecretAsync(pointer.NameOf(part), one);
                }
                catch (RequestFailedException exception) when (exception.Status == 404)
                {
                    // Another instance has deleted it.
                }

                return true;
            },
            token),
        cancellationToken);

    /// <summary>Reads a fixed secret and updates its tags, which makes no new version; recovers or creates it if need be.</summary>
    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        var secret = await SendAsync("a test read", async token => await FindAsync(CheckName, token), cancellationToken)
            ?? await SendAsync("a test write", CreateCheckAsync, cancellationToken);
        secret.Tags["purpose"] = "Written by KestrelAcme to check that it can write.";
        await SendAsync("a test write", token => _client.UpdateSecretPropertiesAsync(secret, token), cancellationToken);
    }

    private string CheckName => $"{_prefix}-check";

    // The names of secrets are not case-sensitive, and hold letters, digits and hyphens. The random part makes them unique.
    private string NewName(string key)
    {
        var readable = string.Concat(key.Select(c => char.IsAsciiLetterOrDigit(c) ? c : '-'));
        return $"{_prefix}-{readable[..Math.Min(readable.Length, MaxReadableLength)]}-{Guid.NewGuid():N}";
    }

    private async Task<SecretProperties> CreateCheckAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.SetSecretAsync(CheckName, "check", cancellationToken)).Value.Properties;
        }
        catch (RequestFailedException exception)
            when (exception.Status == 409 && AzureStorageFailures.InnerCode(exception) == "ObjectIsDeletedButRecoverable")
        {
            var recovery = await _client.StartRecoverDeletedSecretAsync(CheckName, cancellationToken);
            return await recovery.WaitForCompletionAsync(RecoveryPoll, cancellationToken);
        }
    }

    private async Task<SecretProperties?> FindAsync(string name, CancellationToken cancellationToken)
    {
        try
        {
            return (await _client.GetSecretAsync(name, cancellationToken: cancellationToken)).Value.Properties;
        }
        catch (RequestFailedException exception) when (IsMissing(exception))
        {
            return null;
        }
    }

    private Task<byte[]?> ReadAsync(string key, SecretPointer pointer, int part, CancellationToken cancellationToken) => SendAsync(
        $"reading '{key}'",
        async token =>
        {
            try
            {
                var answer = await _client.GetSecretAsync(pointer.NameOf(part), pointer.Versions[part], cancellationToken: token);
                return Convert.FromBase64String(answer.Value.Value);
            }
            catch (RequestFailedException exception) when (IsMissing(exception))
            {
                return null;
            }
            catch (FormatException)
            {
                throw new StorageUnavailableException(
                    $"{Place}: the secret '{pointer.NameOf(part)}' is not Base64. Somebody has changed it: restore it, or delete the blob "
                    + $"of '{key}' in the index to have the value made anew.");
            }
        },
        cancellationToken);

    // Another 404, such as that of a proxy, is a failure and never "missing".
    private static bool IsMissing(RequestFailedException exception) => exception is { Status: 404, ErrorCode: "SecretNotFound" };

    private static Task EachAsync(int count, Func<int, CancellationToken, ValueTask> act, CancellationToken cancellationToken)
        => System.Threading.Tasks.Parallel.ForAsync(
            0, count, new ParallelOptions { MaxDegreeOfParallelism = Parallel, CancellationToken = cancellationToken }, act);

    private async Task<T> SendAsync<T>(string doing, Func<CancellationToken, Task<T>> send, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            return await send(cancellationToken);
        }
        catch (Exception exception) when (AzureStorageFailures.IsFailure(exception, cancellationToken))
        {
            throw AzureStorageFailures.Explain(exception, _service, doing);
        }
    }
}
