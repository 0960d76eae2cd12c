using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Http01;
using KestrelAcme.Challenges.TlsAlpn01;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>
/// Once a day marks unused values, and removes those that have been marked for two weeks: certificates and states of names that are no
/// longer managed, leftover challenge responses, and revoked keys that were set aside. Damaged values are never removed. From time to time
/// checks whether the store responds.
/// </summary>
internal sealed class Housekeeper(
    CertificateCatalog catalog,
    BoundedStorage storage,
    IssuanceStatus issuance,
    IssuanceSettings settings,
    CertificateEventHub events,
    TimeProvider time,
    ILogger<Housekeeper> logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromDays(1);
    private static readonly TimeSpan FirstWait = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan ExpiryInterval = TimeSpan.FromHours(6);
    private static readonly TimeSpan CheckInterval = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan CheckPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromMinutes(10);
    private static readonly string[] Prefixes =
    [
        StorageLayout.CertificatesPrefix,
        StorageLayout.StatesPrefix,
        SharedChallengeResponses.PrefixOf(Http01TokenTable.Type),
        SharedChallengeResponses.PrefixOf(TlsAlpn01ChallengeHandler.Type),
        Replicas.AcknowledgmentsPrefix,
        StorageLayout.RevokedPrefix,
        StorageLayout.RevocationListsPrefix,
    ];

    public Task RunAsync(CancellationToken stopping) => Task.WhenAll(
        TidyDailyAsync(stopping), CheckStoreAsync(stopping), RewriteKeysAsync(stopping), WatchExpiryAsync(stopping));

    private Task WatchExpiryAsync(CancellationToken stopping)
    {
        var watch = new ExpiryWatch(catalog, issuance, events, time);
        return BackgroundLoop.RunAsync(
            _ =>
            {
                watch.Look();
                return Task.CompletedTask;
            },
            FirstWait,
            ExpiryInterval,
            time,
            exception => logger.HousekeepingFailed(exception.Message),
            stopping);
    }

    private Task RewriteKeysAsync(CancellationToken stopping) => storage.Protection is { MayRewrite: true } protection
        ? new KeyRewriter(storage, protection, catalog, issuance, settings, time, logger).RunAsync(stopping)
        : Task.CompletedTask;

    private Task TidyDailyAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
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

    // Otherwise a store that is down while nothing is due would not be noticed, and one that is back would count as down until the next
    // order. A single value that cannot be read does not mean that the store is down: the check at once tells.
    private Task CheckStoreAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            if (storage.Monitor.Fault is null)
            {
                using var limit = new TimeLimit(CheckInterval, time);
                using var either = CancellationTokenSource.CreateLinkedTokenSource(token, limit.Token);
                await ((Task)storage.Monitor.Failing.WaitAsync(either.Token)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                token.ThrowIfCancellationRequested();
            }

            await storage.CheckAsync(token);
        },
        first: TimeSpan.Zero,
        CheckPause,
        time,
        static _ => { }, // The monitor knows.
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

        var acknowledging = await ListAcknowledgingAsync(cancellationToken);
        var unused = new HashSet<string>(StringComparer.Ordinal);
        foreach (var prefix in Prefixes)
        {
            await foreach (var key in storage.ListAsync(prefix, cancellationToken))
            {
                if (!IsInUse(key) && !acknowledging.Contains(key) && !StorageDamage.IsSetAside(key) && !IsForeign(key))
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

    /// <summary>
    /// Returns the keys under which running instances acknowledge challenges. They remove the records of those that are gone.
    /// </summary>
    private async Task<HashSet<string>> ListAcknowledgingAsync(CancellationToken cancellationToken)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var key in storage.ListAsync(Replicas.Prefix, cancellationToken))
        {
            keys.Add(Replicas.AcknowledgmentsPrefix + key[Replicas.Prefix.Length..]);
        }

        return keys;
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

/// <summary>
/// Decides when an unused value may be removed: two weeks after it was first found unused, and only if as many daily rounds found it so.
/// The wall clock alone is not enough, because it may jump. Pure.
/// </summary>
internal static class GracePolicy
{
    public static TimeSpan Grace { get; } = TimeSpan.FromDays(14);

    private const int Rounds = 14;

    // A process that restarts again and again has its first round each time: those do not count.
    private static readonly TimeSpan BetweenRounds = TimeSpan.FromHours(20);

    /// <summary>Returns the mark after another round.</summary>
    public static UnusedMark Mark(UnusedMark? known, DateTimeOffset now) => known switch
    {
        null => new UnusedMark(now, 1, now),

        // The mark comes from a clock that was ahead.
        { LastRound: var last } when last > now => known with { Since = known.Since < now ? known.Since : now, LastRound = now },
        { LastRound: var last } when now - last < BetweenRounds => known,
        _ => known with { Rounds = known.Rounds + 1, LastRound = now },
    };

    public static bool MayGo(UnusedMark mark, DateTimeOffset now) => now - mark.Since >= Grace && mark.Rounds >= Rounds;
}

/// <summary>Raises an event, once a day, for each served certificate whose renewal is late or that has expired.</summary>
internal sealed class ExpiryWatch(CertificateCatalog catalog, IssuanceStatus issuance, CertificateEventHub events, TimeProvider time)
{
    private static readonly TimeSpan Repeat = TimeSpan.FromDays(1);

    // When each was raised last, by the monotonic clock: the other one may jump.
    private Dictionary<string, long> _raised = [];

    /// <summary>Looks at all certificates. Called by one loop.</summary>
    public void Look()
    {
        var (now, timestamp, reason) = (time.GetUtcNow(), time.GetTimestamp(), issuance.ReasonNotToOrder);
        var raised = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var certificate in catalog.All)
        {
            if (certificate.Current is not { } served
                || (certificate.FindProblems(reason, now) & (CertificateProblems.Overdue | CertificateProblems.Expired)) == 0)
            {
                continue;
            }

            if (_raised.TryGetValue(certificate.Id, out var last) && time.GetElapsedTime(last, timestamp) < Repeat)
            {
                raised.Add(certificate.Id, last);
                continue;
            }

            raised.Add(certificate.Id, timestamp);
            var status = CertificateStatuses.Create(certificate, orders: reason is null, now);
            events.Publish(CertificateEventKind.Expiring, Describe(certificate.Id, served.NotAfter, status.Failure, now), status);
        }

        _raised = raised;
    }

    private static string Describe(string id, DateTimeOffset notAfter, CertificateFailure? failure, DateTimeOffset now)
    {
        var late = notAfter <= now ? $"{id} expired on {notAfter:u}." : $"{id} is served until {notAfter:u}, and its renewal is late.";
        return failure is null ? late : $"{late} {failure.Message}";
    }
}
