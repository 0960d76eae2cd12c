using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// Replaces the key of an account (RFC 8555 section 7.3.5). Both keys are stored before the request, so that one of them is right if the
/// process ends in the middle.
/// </summary>
internal sealed class AccountKeyRollover(IAuthorityClient client, StoredAccount store)
{
    /// <summary>Replaces the key at the CA and in the store.</summary>
    /// <returns>The account with its new key, and the key.</returns>
    public async Task<OpenedAccount> RunAsync(
        IAuthorityAccount account, AccountRecord stored, IStorageLease lease, CancellationToken cancellationToken)
    {
        var key = AccountKey.Generate();
        var next = key.ExportPkcs8Pem();
        await store.WriteAsync(stored with { NextPrivateKeyPem = next }, lease, cancellationToken);
        account = await account.RolloverKeyAsync(key, cancellationToken);
        await store.WriteAsync(With(stored, next), lease, cancellationToken);
        return new OpenedAccount(account, next);
    }

    /// <summary>If a rollover was interrupted, asks the CA which of the two keys it knows, and keeps that one.</summary>
    /// <returns>The stored record, which has one key.</returns>
    public async Task<AccountRecord> SettleAsync(AccountRecord stored, IStorageLease lease, CancellationToken cancellationToken)
    {
        if (stored.NextPrivateKeyPem is not { } next)
        {
            return stored;
        }

        var right = await IsKnownAsync(next, cancellationToken) ? next : stored.PrivateKeyPem;
        var settled = right == next ? With(stored, next) : stored with { NextPrivateKeyPem = null };
        await store.WriteAsync(settled, lease, cancellationToken);
        return settled;
    }

    /// <summary>Does the same under the lease, for which it waits while another instance replaces the key.</summary>
    public async Task<AccountRecord?> SettleAsync(CancellationToken cancellationToken)
    {
        await using var lease = await store.AcquireLeaseAsync(cancellationToken);
        return await store.ReadAsync(cancellationToken) is { } stored ? await SettleAsync(stored, lease, cancellationToken) : null;
    }

    private static AccountRecord With(AccountRecord stored, string next) => stored with
    {
        PrivateKeyPem = next,
        NextPrivateKeyPem = null,
        Metadata = stored.Metadata with { Voucher = HeldAccountKey.Vouch(stored.PrivateKeyPem, next, stored.Metadata.DirectoryUrl) },
    };

    private async Task<bool> IsKnownAsync(string keyPem, CancellationToken cancellationToken)
    {
        try
        {
            await client.FindAccountAsync(AccountKey.FromPem(keyPem), cancellationToken);
            return true;
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
        {
            return false;
        }
    }
}
