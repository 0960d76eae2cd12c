using System.Text.Json;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.RateLimits;

/// <summary>
/// Stores the time until which an account is at a rate limit, so that neither a crash loop nor ten replicas find out again and again. The
/// instances that share a store share the account.
/// </summary>
/// <remarks>Safe for concurrent use. If the store is unavailable, this instance continues with what it knows.</remarks>
internal sealed class AccountHolds(BoundedStorage storage, TimeProvider time, ILogger<AccountHolds> logger)
{
    /// <summary>Holds the account at a CA for all instances.</summary>
    public async Task HoldAsync(CertificateAuthority authority, DateTimeOffset until, CancellationToken cancellationToken)
    {
        authority.Health.OpenFor(until, time.GetUtcNow());
        await StoreAsync(authority, new AccountHold(until), cancellationToken);
    }

    /// <summary>
    /// Holds back orders for new names at a CA for all instances. A hold of the account, which the CA asked for, is not replaced by this
    /// guess.
    /// </summary>
    public async Task HoldNewNamesAsync(CertificateAuthority authority, DateTimeOffset until, CancellationToken cancellationToken)
    {
        authority.Health.HoldNewNames(until);
        await StoreAsync(authority, new AccountHold(until) { NewNamesOnly = true }, cancellationToken);
        logger.AccountHeld(authority.Specification.DirectoryUrl, until);
    }

    private async Task StoreAsync(CertificateAuthority authority, AccountHold hold, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        try
        {
            var known = await ReadAsync(authority, cancellationToken);
            if (known?.Holds(now) != true
                || (known.NewNamesOnly && !hold.NewNamesOnly)
                || (known.NewNamesOnly == hold.NewNamesOnly && known.Until < hold.Until))
            {
                var value = JsonSerializer.SerializeToUtf8Bytes(hold, PersistenceJsonContext.Default.AccountHold);
                await storage.WriteAsync(
                    StorageLayout.AccountHold(authority.Specification.DirectoryUrl), value, lease: null, cancellationToken);
            }
        }
        catch (StorageUnavailableException exception)
        {
            logger.PaceNotStored(exception.Message);
        }
    }

    /// <summary>Takes over a hold that another instance or an earlier run stored.</summary>
    /// <returns>Whether the account is held, and this instance did not know that.</returns>
    public async Task<bool> RecallAsync(CertificateAuthority authority, CancellationToken cancellationToken)
    {
        try
        {
            var now = time.GetUtcNow();
            if (await ReadAsync(authority, cancellationToken) is not { } hold || !hold.Holds(now))
            {
                return false;
            }

            if (hold.NewNamesOnly)
            {
                return Recall(authority, hold, now);
            }

            if (authority.Health.OpenUntil(now) >= hold.Until)
            {
                return false;
            }

            authority.Health.OpenFor(hold.Until, now);
            logger.AccountStillHeld(authority.Specification.DirectoryUrl, hold.Until);
            return true;
        }
        catch (StorageUnavailableException)
        {
            // The order finds out whether the store is available.
            return false;
        }
    }

    private bool Recall(CertificateAuthority authority, AccountHold hold, DateTimeOffset now)
    {
        // An order that was accepted since has ended the doubt.
        if (authority.Health.NewNamesHeldUntil(now) >= hold.Until || !authority.Health.IsUnknown)
        {
            return false;
        }

        authority.Health.HoldNewNames(hold.Until);
        logger.AccountHeld(authority.Specification.DirectoryUrl, hold.Until);
        return true;
    }

    private async Task<AccountHold?> ReadAsync(CertificateAuthority authority, CancellationToken cancellationToken)
    {
        if (await storage.ReadAsync(StorageLayout.AccountHold(authority.Specification.DirectoryUrl), cancellationToken) is not { } value)
        {
            return null;
        }

        try
        {
            return StoredJson.Decode(value.Span, PersistenceJsonContext.Default.AccountHold);
        }
        catch (DamagedValueException exception)
        {
            logger.PaceNotStored(exception.Message);
            return null;
        }
    }
}
