using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>
/// Once a day marks unused values, and removes those that have been marked for two weeks: certificates and states of names that are no
/// longer managed, leftover challenge responses, and revoked keys that were set aside. Damaged values are never removed.
/// </summary>
internal sealed class Housekeeper(
    CertificateCatalog catalog, BoundedStorage storage, IssuanceStatus issuance, TimeProvider time, ILogger<Housekeeper> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(10);
    private static readonly string[] Prefixes =
    [
        StorageLayout.CertificatesPrefix,
        StorageLayout.StatesPrefix,
        Http01TokenTable.StoragePrefix,
        SharedTlsAlpn01Responses.StoragePrefix,
        StorageLayout.RevokedPrefix,
        StorageLayout.RevocationListsPrefix,
    ];

    public Task RunAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            catalog.WithdrawExpired(time.GetUtcNow() - GracePolicy.Grace);
            if (issuance.ReasonNotToOrder is null)
            {
                await TidyAsync(token);
            }
        },
        FirstWait,
        Interval,
        time,
        exception => logger.HousekeepingFailed(exception.Message),
        stopping);

    /// <summary>Runs one round.</summary>
    public async Task TidyAsync(CancellationToken cancellationToken)
    {
        await using var keeper = await LeaseKeeper.TryAcquireAsync(
            storage, StorageLayout.HousekeepingLease, LeaseDuration, time, cancellationToken);
        if (keeper is null)
        {
            return;
        }

        var unused = new HashSet<string>(StringComparer.Ordinal);
        foreach (var prefix in Prefixes)
        {
            await foreach (var key in storage.ListAsync(prefix, cancellationToken))
            {
                if (!IsInUse(key) && !StorageDamage.IsSetAside(key) && !IsForeign(key))
                {
                    unused.Add(key);
                }
            }
        }

        var marks = await ReadMarksAsync(cancellationToken);
        var now = time.GetUtcNow();
        var next = unused.ToDictionary(k => k, k => GracePolicy.Mark(marks.GetValueOrDefault(k), now), StringComparer.Ordinal);
        foreach (var (key, _) in next.Where(m => GracePolicy.MayGo(m.Value, now)).ToList())
        {
            await storage.DeleteAsync(key, keeper.Lease, cancellationToken);
            next.Remove(key);
            logger.LeftoverRemoved(key);
        }

        await storage.WriteAsync(StorageLayout.Housekeeping, HousekeepingFile.Encode(next), keeper.Lease, cancellationToken);
    }

    private bool IsInUse(string key)
    {
        if (!key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal)
            && !key.StartsWith(StorageLayout.StatesPrefix, StringComparison.Ordinal))
        {
            return false;
        }

        var id = StorageLayout.IdOf(key);
        return catalog.Find(id) is not null || catalog.IsServed(id, time.GetUtcNow());
    }

    // A copy that an editor or a person made next to a certificate or a state is kept.
    private static bool IsForeign(string key)
        => (key.StartsWith(StorageLayout.CertificatesPrefix, StringComparison.Ordinal)
                && key != StorageLayout.Certificate(StorageLayout.IdOf(key)))
            || (key.StartsWith(StorageLayout.StatesPrefix, StringComparison.Ordinal)
                && key != StorageLayout.State(StorageLayout.IdOf(key)));

    private async Task<Dictionary<string, UnusedMark>> ReadMarksAsync(CancellationToken cancellationToken)
        => await storage.ReadAsync(StorageLayout.Housekeeping, cancellationToken) is { } value ? HousekeepingFile.Decode(value.Span) : [];
}
