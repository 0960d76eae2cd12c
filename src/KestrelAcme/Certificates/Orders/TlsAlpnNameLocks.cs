using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Lets one order at a time, among all instances that share the store, have a name validated by tls-alpn-01: the handshake names nothing
/// but the name, and there is one answer to it. Two orders meet where instances group their names differently, or where one of them asks
/// another authority. Challenges that are told apart by their token, or whose answers stand side by side, wait for nobody.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class TlsAlpnNameLocks(
    CertificateStore store, IssuanceSettings settings, TimeProvider time, ILogger<TlsAlpnNameLocks> logger)
{
    // Longer than the other order waits for the authority's verdict.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(10);

    /// <summary>Waits until no other order has any of the names.</summary>
    /// <exception cref="ChallengeException">The other order has taken too long; this one is tried again soon.</exception>
    public async Task<TlsAlpnNameLock> TakeAsync(
        IEnumerable<OpenChallenge> open, CancellationToken stopping, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stopping, cancellationToken);
        var leases = new List<LeaseKeeper>();
        var awaited = false;
        try
        {
            // In one order for everybody: no two orders wait for each other.
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

    /// <returns>Whether it had to be waited for.</returns>
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
            // Better without than not at all: an order that exists is finished although the store fails.
        }

        return true;
    }
}

/// <summary>The right to have some names validated; disposing it lets others have it.</summary>
internal sealed class TlsAlpnNameLock(IReadOnlyList<LeaseKeeper> leases, bool wasAwaited) : IAsyncDisposable
{
    /// <summary>Whether another order had one of the names when this one came.</summary>
    public bool WasAwaited => wasAwaited;

    public async ValueTask DisposeAsync()
    {
        foreach (var lease in leases)
        {
            await lease.DisposeAsync();
        }
    }
}
