using System.Net;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// Has the one account at an authority: read from the store, or created once among all instances. The key is stored before the account is created with it, so that a crash
/// in between finds the same account again instead of making another.
/// </summary>
internal sealed class AccountKeeper(IAuthorityClient client, CertificateStore store, TimeProvider time, ILogger<AccountKeeper> logger)
{
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private volatile IAuthorityAccount? _account;

    private AuthoritySpecification Specification => client.Specification;

    /// <summary>Opens the account, creating it where there is none.</summary>
    public async Task<IAuthorityAccount> OpenAsync(bool termsAccepted, CancellationToken cancellationToken)
        => _account ?? await OpenCoreAsync(lost: null, termsAccepted, cancellationToken);

    /// <summary>Registers the same key again at an authority that has lost the account.</summary>
    public Task<IAuthorityAccount> RegisterAgainAsync(IAuthorityAccount lost, bool termsAccepted, CancellationToken cancellationToken)
        => OpenCoreAsync(lost, termsAccepted, cancellationToken);

    private async Task<IAuthorityAccount> OpenCoreAsync(IAuthorityAccount? lost, bool termsAccepted, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (_account is { } opened && !ReferenceEquals(opened, lost))
            {
                return opened;
            }

            return _account = await ReadOrCreateAsync(lost, termsAccepted, cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task<IAuthorityAccount> ReadOrCreateAsync(IAuthorityAccount? lost, bool termsAccepted, CancellationToken cancellationToken)
    {
        if (lost is null && await ReadAsync(cancellationToken) is { Metadata.AccountUrl: { } url } record)
        {
            return client.OpenAccount(AccountKey.FromPem(record.PrivateKeyPem), url);
        }

        await using var lease = await AcquireLeaseAsync(cancellationToken);
        var stored = await ReadAsync(cancellationToken);
        if (stored?.Metadata.AccountUrl is { } known && known != lost?.Url)
        {
            return client.OpenAccount(AccountKey.FromPem(stored.PrivateKeyPem), known);
        }

        return await CreateAsync(stored, lease, termsAccepted, cancellationToken);
    }

    private async Task<IAuthorityAccount> CreateAsync(AccountRecord? stored, IStorageLease lease, bool termsAccepted, CancellationToken cancellationToken)
    {
        var key = stored is null ? AccountKey.Generate() : AccountKey.FromPem(stored.PrivateKeyPem);
        var record = stored ?? new AccountRecord(key.ExportPkcs8Pem(), new AccountMetadata { DirectoryUrl = Specification.DirectoryUrl, CreatedAt = time.GetUtcNow() });
        if (stored is null)
        {
            await store.WriteAccountAsync(Specification.Id, record, lease, cancellationToken);
        }

        var account = await RegisterAsync(key, NewAccountRequests.Create(Specification, termsAccepted), cancellationToken);
        var metadata = record.Metadata with { AccountUrl = account.Url, EmailAddress = Specification.EmailAddress };
        await store.WriteAccountAsync(Specification.Id, record with { Metadata = metadata }, lease, cancellationToken);
        logger.AccountReady(account.Url, Specification.DirectoryUrl);
        return account;
    }

    private async Task<IAuthorityAccount> RegisterAsync(AccountKey key, NewAccountRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await client.CreateAccountAsync(key, request, cancellationToken);
        }
        catch (AcmeException exception) when (exception is { Problem: not null, StatusCode: < HttpStatusCode.InternalServerError }
            and not AcmeRateLimitedException && !exception.HasProblem(AcmeProblemTypes.BadNonce))
        {
            throw new AccountRefusedException(exception, wasBound: request.ExternalAccountBinding is not null);
        }
    }

    private async Task<AccountRecord?> ReadAsync(CancellationToken cancellationToken)
    {
        var record = await store.ReadAccountAsync(Specification.Id, cancellationToken);
        return record?.Metadata.DirectoryUrl == Specification.DirectoryUrl ? record : null;
    }

    private async Task<IStorageLease> AcquireLeaseAsync(CancellationToken cancellationToken)
    {
        // Another instance creates the account right now: it takes a second or two, and then we read what it stored.
        while (true)
        {
            if (await store.Storage.TryAcquireLeaseAsync(StorageLayout.AccountLease(Specification.Id), LeaseDuration, cancellationToken) is { } lease)
            {
                return lease;
            }

            await Task.Delay(LeasePoll, time, cancellationToken);
        }
    }
}
