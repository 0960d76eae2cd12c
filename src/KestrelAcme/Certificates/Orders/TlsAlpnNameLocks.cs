using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Lets one order at a time, among all instances that share the store, validate a name by tls-alpn-01: the handshake contains only the
/// name, and there is one response to it. Two orders meet if instances group their names differently, or if one of them uses another CA.
/// Challenges with a token, or with responses that can coexist, do not wait.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TlsAlpnNameLocks(
    CertificateStore store, IssuanceSettings settings, TimeProvider time, ILogger<TlsAlpnNameLocks> logger)
{
    // Longer than the other order waits for its validation.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>Waits until no other order has any of the names.</summary>
    /// <exception cref="ChallengeException">The other order has taken too long. Try again soon.</exception>
    public async Task<TlsAlpnNameLock> TakeAsync(
        IEnumerable<OpenChallenge> open, CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        var leases = new List<LeaseKeeper>();
        var awaited = false;
        try
        {
            // All instances use the same order, so that no two orders wait for each other.
            var names = open.Where(c => c.Context.ChallengeType == TlsAlpn01ChallengeHandler.Type).Select(c => c.Context.Identifier);
            foreach (var name in names.Distinct().Order(StringComparer.Ordinal))
            {
                awaited |= await TakeAsync(name, leases, either.Token);
            }
        }
        catch
        {
            await new TlsAlpnNameLock(leases, awaited).DisposeAsync();
            throw;
        }

        return new TlsAlpnNameLock(leases, awaited);
    }

    /// <returns>Whether another order had the name.</returns>
    private async Task<bool> TakeAsync(string name, List<LeaseKeeper> leases, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        for (var awaited = false; ; awaited = true)
        {
            if (await TryTakeAsync(name, leases, cancellationToken))
            {
                return awaited;
            }

            if (!awaited)
            {
                logger.TurnAwaited(name);
            }
            else if (time.GetElapsedTime(started) >= LongestWait)
            {
                throw new ChallengeException(
                    $"{name}: another order with this name, of this instance or one that shares the store, has been validated for "
                    + $"{LongestWait.TotalMinutes:0} minutes and is not done.")
                {
                    Fault = ChallengeFault.Local,
                };
            }

            await Task.Delay(settings.LeasePoll, time, cancellationToken);
        }
    }

    private async Task<bool> TryTakeAsync(string name, List<LeaseKeeper> leases, CancellationToken cancellationToken)
    {
        try
        {
            var key = StorageLayout.ValidationLease(name);
            if (await LeaseKeeper.TryAcquireAsync(store.Storage, key, settings.LeaseDuration, time, cancellationToken) is not { } lease)
            {
                return false;
            }

            leases.Add(lease);
        }
        catch (StorageUnavailableException)
        {
            // Without the lease is better than not at all: an existing order is finished although the store fails.
        }

        return true;
    }
}

/// <summary>The right to validate some names; disposing it releases them.</summary>
internal sealed class TlsAlpnNameLock(IReadOnlyList<LeaseKeeper> leases, bool wasAwaited) : IAsyncDisposable
{
    /// <summary>Whether another order had one of the names before.</summary>
    public bool WasAwaited => wasAwaited;

    public async ValueTask DisposeAsync()
    {
        foreach (var lease in leases)
        {
            await lease.DisposeAsync();
        }
    }
}
