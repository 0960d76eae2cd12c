using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The place in the store of the account at one authority; what changes it holds its lease, among all instances.</summary>
internal sealed class StoredAccount(CertificateStore store, AuthoritySpecification authority, TimeProvider time)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);

    // Longer than the lease of a process that died lasts.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(3);

    private const int MostBlocks = 100;

    public AuthoritySpecification Authority => authority;

    /// <summary>Reads the account; <see langword="null"/> where there is none, or one of another directory under the same id.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<AccountRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        var record = await store.ReadAccountAsync(authority.Id, cancellationToken);
        if (record is { IsRepaired: true } && record.Metadata.DirectoryUrl == CertificateMetadata.UnknownUrl)
        {
            // It was found in the place of this directory.
            record = record with { Metadata = record.Metadata with { DirectoryUrl = authority.DirectoryUrl } };
        }

        return record?.Metadata.DirectoryUrl != authority.DirectoryUrl ? null
            : record.Metadata.AccountUrl is { } url && !IsOfAuthority(url) ? record with { Metadata = record.Metadata with { AccountUrl = null }, IsRepaired = true }
            : record;
    }

    // A URL that leads elsewhere is not believed: the authority is asked for the account of the key.
    private bool IsOfAuthority(Uri url)
        => url.Scheme == authority.DirectoryUrl.Scheme && string.Equals(url.IdnHost, authority.DirectoryUrl.IdnHost, StringComparison.OrdinalIgnoreCase);

    /// <summary>Whether nothing is stored in the place, not even an account of another directory.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken) => await store.ReadAccountAsync(authority.Id, cancellationToken) is null;

    /// <exception cref="StorageUnavailableException">The store could not be told.</exception>
    /// <exception cref="LeaseLostException">Another instance has taken over.</exception>
    public ValueTask WriteAsync(AccountRecord record, IStorageLease lease, CancellationToken cancellationToken)
        => store.WriteAccountAsync(authority.Id, record, lease, cancellationToken);

    /// <summary>Waits until nobody else changes the account: as a rule a second or two, while another instance creates it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked, or the lease is held for longer than anybody needs it.</exception>
    public Task<IStorageLease> AcquireLeaseAsync(CancellationToken cancellationToken)
        => LeaseWait.AcquireAsync(store.Storage, StorageLayout.AccountLease(authority.Id), LeaseDuration, LeasePoll, LongestWait, time, cancellationToken);

    /// <summary>What the authority refuses, as this instance or another noted it.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<AccountBlock[]> ReadBlocksAsync(CancellationToken cancellationToken)
    {
        if (await store.Storage.ReadAsync(StorageLayout.AccountBlocks(authority.DirectoryUrl), cancellationToken) is not { } value)
        {
            return [];
        }

        try
        {
            // Their words are shown: who can write to the store must not forge lines of the log.
            var blocks = StoredJson.Decode(value.Span, PersistenceJsonContext.Default.AccountBlockArray);
            return [.. blocks.Take(MostBlocks).Select(b => b with { Message = QuotedText.Of(b.Message) })];
        }
        catch (DamagedValueException)
        {
            // It is found out again, and written anew.
            return [];
        }
    }

    /// <exception cref="StorageUnavailableException">The store could not be told.</exception>
    public async Task WriteBlocksAsync(AccountBlock[] blocks, CancellationToken cancellationToken)
        => await store.Storage.WriteAsync(
            StorageLayout.AccountBlocks(authority.DirectoryUrl), JsonSerializer.SerializeToUtf8Bytes(blocks, PersistenceJsonContext.Default.AccountBlockArray), lease: null, cancellationToken);
}
