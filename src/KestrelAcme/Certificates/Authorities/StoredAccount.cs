using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The place in the store of the account at one authority; what changes it holds its lease, among all instances.</summary>
internal sealed class StoredAccount(CertificateStore store, AuthoritySpecification authority, TimeProvider time)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);

    /// <summary>Reads the account; <see langword="null"/> where there is none, or one of another directory under the same id.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<AccountRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        var record = await store.ReadAccountAsync(authority.Id, cancellationToken);
        return record?.Metadata.DirectoryUrl == authority.DirectoryUrl ? record : null;
    }

    /// <summary>Whether nothing is stored in the place, not even an account of another directory.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<bool> IsEmptyAsync(CancellationToken cancellationToken) => await store.ReadAccountAsync(authority.Id, cancellationToken) is null;

    /// <exception cref="StorageUnavailableException">The store could not be told.</exception>
    /// <exception cref="LeaseLostException">Another instance has taken over.</exception>
    public ValueTask WriteAsync(AccountRecord record, IStorageLease lease, CancellationToken cancellationToken)
        => store.WriteAccountAsync(authority.Id, record, lease, cancellationToken);

    /// <summary>Waits until nobody else changes the account.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
    public async Task<IStorageLease> AcquireLeaseAsync(CancellationToken cancellationToken)
    {
        // Another instance creates the account right now: it takes a second or two, and then we read what it stored.
        while (true)
        {
            if (await store.Storage.TryAcquireLeaseAsync(StorageLayout.AccountLease(authority.Id), LeaseDuration, cancellationToken) is { } lease)
            {
                return lease;
            }

            await Task.Delay(LeasePoll, time, cancellationToken);
        }
    }
}
