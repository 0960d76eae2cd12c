using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Deletes the records of instances that ended without cleaning up.</summary>
internal sealed class StaleRecordSweep(
    BoundedStorage storage,
    RecordJournal journal,
    RecordWriter writer,
    DnsProviderTable providers,
    ChallengeRecordLocator locator,
    TimeProvider time,
    ILogger<StaleRecordSweep> logger)
{
    // A record that could not be deleted for this long is left to the operator, after a warning at every start.
    private static readonly TimeSpan OldestNote = TimeSpan.FromDays(30);

    // More than a crash leaves behind. Forged notes must not use up the rate limits of the provider's API.
    private const int MostDeletions = 200;

    /// <returns>Whether records are left whose owners may be alive, or whose orders may be resumed.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    public async Task<bool> RunAsync(CancellationToken cancellationToken)
    {
        var left = false;
        var byOwner = new Dictionary<string, List<(string Key, RecordEntry Entry)>>(StringComparer.Ordinal);
        await foreach (var note in journal.ReadOthersAsync(cancellationToken))
        {
            if (note.Entry.MayBeNeeded(time.GetUtcNow()))
            {
                left = true;
                continue;
            }

            var owner = RecordKeys.OwnerOf(note.Key);
            if (!byOwner.TryGetValue(owner, out var notes))
            {
                byOwner[owner] = notes = [];
            }

            notes.Add(note);
        }

        var deletions = 0;
        foreach (var (owner, notes) in byOwner)
        {
            // Holding an owner's lease proves that the owner is dead and that no other instance sweeps for it.
            await using var lease = await LeaseKeeper.TryAcquireAsync(
                storage, RecordKeys.OwnerLease(owner), RecordOwner.LeaseDuration, time, cancellationToken);
            left |= lease is null;
            foreach (var (key, entry) in lease is null ? [] : notes)
            {
                if (++deletions > MostDeletions)
                {
                    return true;
                }

                await DeleteAsync(key, entry, cancellationToken);
            }
        }

        return left;
    }

    private async Task DeleteAsync(string key, RecordEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            if (entry.KeyAuthorization is null)
            {
                // It was copied from DNS, or the note is an earlier version's.
                const string reason = "nothing proves that it was made for a challenge: its note has no key authorization";
                logger.StaleDnsRecordKept(entry.Name, entry.Zone, reason);
            }
            else if (providers.Find(entry.Name, entry.ChallengeName) is not { } provider)
            {
                logger.StaleDnsRecordKept(entry.Name, entry.Zone, "no DNS provider is configured for it any more");
            }
            else if (!await locator.LeadsToAsync(entry.ChallengeName, entry.Name, cancellationToken))
            {
                // Only the note says that the record was for a challenge, and
                // anyone who can write to the store could have any record deleted.
                logger.StaleDnsRecordKept(entry.Name, entry.Zone, $"no CNAME of {entry.ChallengeName} leads to it any more");
            }
            else
            {
                await writer.DeleteStaleAsync(key, entry, provider.Provider, cancellationToken);
                return;
            }
        }
        catch (ChallengeException exception)
        {
            logger.StaleDnsRecordKept(entry.Name, entry.Zone, exception.Message);
        }

        if (time.GetUtcNow() - entry.CreatedAt > OldestNote)
        {
            await journal.RemoveAsync(key, cancellationToken);
        }
    }
}

/// <summary>
/// Cleans up in the background after dead instances and failed deletions, and releases this instance's lease at shutdown. Never throws.
/// </summary>
internal sealed class StaleRecordService(
    StaleRecordSweep sweep, RecordOwner owner, ConfigurationSource configuration, TimeProvider time, ILogger<StaleRecordService> logger)
    : BackgroundService
{
    // Longer than the store needs to notice that an owner is dead.
    private static readonly TimeSpan PauseWhileOwnersMayLive = RecordOwner.LeaseDuration + TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(6);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await owner.ReleaseAsync();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // The host's startup waits for the first yield.
        try
        {
            for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            {
                while (await SweepAsync(stoppingToken))
                {
                    await Task.Delay(PauseWhileOwnersMayLive, time, stoppingToken);
                }

                await Task.Delay(pause, time, stoppingToken);
            }
        }
        catch (OperationCanceledException)
        {
            // The host is stopping. The sweep continues at the next start.
        }
    }

    private async Task<bool> SweepAsync(CancellationToken cancellationToken)
    {
        try
        {
            var isOn = configuration.Current is { Enabled: true, Issuance: IssuanceMode.Automatic, DnsProviders.Count: > 0 };
            return isOn && await sweep.RunAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.StaleDnsRecordsNotSwept(exception.Message);
            return true;
        }
    }
}
