using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The stored account of one CA. Whoever changes it holds its lease, which all instances share.</summary>
internal sealed class StoredAccount(CertificateStore store, AuthoritySpecification authority, TimeProvider time)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);

    // Longer than the lease of a process that died.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(3);

    private const int MostBlocks = 100;

    public AuthoritySpecification Authority => authority;

    /// <summary>
    /// Reads the account; <see langword="null"/> if there is none, or if it belongs to another directory with the same ID.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<AccountRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        var record = await store.ReadAccountAsync(authority.Id, cancellationToken);
        if (record is { IsRepaired: true } && record.Metadata.DirectoryUrl == CertificateMetadata.UnknownUrl)
        {
            // It was found under the key of this directory.
            record = record with { Metadata = record.Metadata with { DirectoryUrl = authority.DirectoryUrl } };
        }

        return record?.Metadata.DirectoryUrl != authority.DirectoryUrl ? null
            : record.Metadata.AccountUrl is { } url && !IsOfAuthority(url)
                ? record with { Metadata = record.Metadata with { AccountUrl = null }, IsRepaired = true }
            : record;
    }

    // A URL of another host is not trusted. The CA is asked for the account of the key.
    private bool IsOfAuthority(Uri url)
        => url.Scheme == authority.DirectoryUrl.Scheme
            && string.Equals(url.IdnHost, authority.DirectoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether nothing is stored, not even an account of another directory.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken)
        => await store.ReadAccountAsync(authority.Id, cancellationToken) is null;

    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    /// <exception cref="LeaseLostException">Another instance has taken over.</exception>
    public ValueTask WriteAsync(AccountRecord record, IStorageLease lease, CancellationToken cancellationToken)
        => store.WriteAccountAsync(authority.Id, record, lease, cancellationToken);

    /// <summary>Waits until no other instance changes the account, usually a second or two while another instance creates it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read or written, or the lease is held for too long.</exception>
    public Task<IStorageLease> AcquireLeaseAsync(CancellationToken cancellationToken)
        => LeaseWait.AcquireAsync(
            store.Storage, StorageLayout.AccountLease(authority.Id), LeaseDuration, LeasePoll, LongestWait, time, cancellationToken);

    /// <summary>Reads what the CA refuses, as this instance or another recorded it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<AccountBlock[]> ReadBlocksAsync(CancellationToken cancellationToken)
    {
        if (await store.Storage.ReadAsync(StorageLayout.AccountBlocks(authority.DirectoryUrl), cancellationToken) is not { } value)
        {
            return [];
        }

        try
        {
            // Their words are shown: somebody who can write to the store must not forge lines of the log.
            var blocks = StoredJson.Decode(value.Span, PersistenceJsonContext.Default.AccountBlockArray);
            return [.. blocks.Take(MostBlocks).Select(b => b with { Message = QuotedText.Of(b.Message) })];
        }
        catch (DamagedValueException)
        {
            // KestrelAcme finds out again, and replaces the value.
            return [];
        }
    }

    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task WriteBlocksAsync(AccountBlock[] blocks, CancellationToken cancellationToken)
        => await store.Storage.WriteAsync(
            StorageLayout.AccountBlocks(authority.DirectoryUrl),
            JsonSerializer.SerializeToUtf8Bytes(blocks, PersistenceJsonContext.Default.AccountBlockArray),
            lease: null,
            cancellationToken);
}

/// <summary>The accounts of this instance at the configured CAs and their staging services, for challenges that others ordered.</summary>
internal sealed class AccountThumbprints(AuthorityRegistry registry, ConfigurationSource configuration) : IAccountThumbprints
{
    public string? Find(Uri directoryUrl)
        => registry.Find(directoryUrl)?.Accounts.Key.Thumbprint;

    public async ValueTask<string?> LoadAsync(Uri? directoryUrl, Func<string, bool> suits, CancellationToken cancellationToken)
    {
        foreach (var specification in Specifications().Where(s => directoryUrl is null || s.DirectoryUrl == directoryUrl))
        {
            var key = registry.Get(specification).Accounts.Key;
            var thumbprint = await key.LoadAsync(suits, cancellationToken);
            if (thumbprint is not null && (directoryUrl is not null || suits(thumbprint)))
            {
                return thumbprint;
            }
        }

        return null;
    }

    private IEnumerable<AuthoritySpecification> Specifications()
    {
        foreach (var authority in configuration.Current.Authorities)
        {
            yield return authority;
            if (authority.StagingTwin is not null)
            {
                yield return authority.Twin();
            }
        }
    }
}
