using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Deletes the records that instances left behind which ended without cleaning up.</summary>
internal sealed class StaleRecordSweep(
    BoundedStorage storage, RecordJournal journal, RecordWriter writer, DnsProviderTable providers, ChallengeRecordLocator finder,
    TimeProvider time, ILogger<StaleRecordSweep> logger)
{
    // A record that nobody was able to delete for so long is left to the operator, who was told at every start.
    private static readonly TimeSpan OldestNote = TimeSpan.FromDays(30);

    /// <returns>Whether records are left whose owners may be alive, or whose orders may go on without them.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be asked.</exception>
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

        foreach (var (owner, notes) in byOwner)
        {
            // Who holds the lease of an owner knows that it is dead, and that nobody else sweeps for it.
            await using var lease = await LeaseKeeper.TryAcquireAsync(storage, RecordKeys.OwnerLease(owner), RecordOwner.LeaseDuration, time, cancellationToken);
            left |= lease is null;
            foreach (var (key, entry) in lease is null ? [] : notes)
            {
                await DeleteAsync(key, entry, cancellationToken);
            }
        }

        return left;
    }

    private async Task DeleteAsync(string key, RecordEntry entry, CancellationToken cancellationToken)
    {
        try
        {
            if (providers.Find(entry.Name, entry.ChallengeName) is not { } provider)
            {
                logger.StaleDnsRecordKept(entry.Name, entry.Zone, "no DNS provider is configured for it any more");
            }
            else if (!await finder.LeadsToAsync(entry.ChallengeName, entry.Name, cancellationToken))
            {
                // Only a note says that it was a challenge's, and whoever can write to the store could have any record deleted.
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
