using KestrelAcme.Challenges.Dns01.Providers;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>Creates and deletes records through their providers: one change of a name at a time, each noted in the store.</summary>
internal sealed class RecordWriter(RecordJournal journal, RecordNameLocks locks, TimeProvider time, ILogger<RecordWriter> logger)
{
    private static readonly TimeSpan TimeToStop = TimeSpan.FromSeconds(5);

    /// <exception cref="ChallengeException">The record could not be created. Its note is kept, because it may exist.</exception>
    public Task CreateAsync(DnsTxtRecord record, IDnsProvider provider, CancellationToken cancellationToken)
        => locks.RunAsync(record.Name, () => CreateNotedAsync(record, provider, cancellationToken), cancellationToken);

    /// <exception cref="ChallengeException">The record could not be deleted. Its note is left to the sweep of stale records.</exception>
    public async Task DeleteAsync(DnsTxtRecord record, IDnsProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            await locks.RunAsync(record.Name, () => DeleteNotedAsync(record, provider, cancellationToken), cancellationToken);
        }
        catch
        {
            await journal.AbandonAsync(record);
            throw;
        }
    }

    /// <summary>Deletes the record of a dead instance, unless one that is alive needs it, too.</summary>
    /// <exception cref="ChallengeException">The record could not be deleted.</exception>
    public Task DeleteStaleAsync(string key, RecordEntry entry, IDnsProvider provider, CancellationToken cancellationToken)
        => locks.RunAsync(entry.Name, () => DeleteStaleNotedAsync(key, entry, provider, cancellationToken), cancellationToken);

    private async Task CreateNotedAsync(DnsTxtRecord record, IDnsProvider provider, CancellationToken cancellationToken)
    {
        await journal.AddAsync(record, cancellationToken);
        await CallAsync(record, provider, provider.CreateTxtAsync, "created", cancellationToken);
        logger.DnsRecordCreated(record.Name, record.Zone, provider.Description);
    }

    private async Task DeleteNotedAsync(DnsTxtRecord record, IDnsProvider provider, CancellationToken cancellationToken)
    {
        if (!await journal.IsNeededByOthersAsync(record, cancellationToken))
        {
            await CallAsync(record, provider, provider.DeleteTxtAsync, "deleted", cancellationToken);
            logger.DnsRecordDeleted(record.Name, record.Zone, provider.Description);
        }

        await journal.RemoveAsync(record, cancellationToken);
    }

    private async Task DeleteStaleNotedAsync(
        string key, RecordEntry entry, IDnsProvider provider, CancellationToken cancellationToken)
    {
        var record = entry.ToRecord();
        if (!await journal.IsNeededBesidesAsync(record, RecordKeys.OwnerOf(key), cancellationToken))
        {
            await CallAsync(record, provider, provider.DeleteTxtAsync, "deleted", cancellationToken);
            logger.StaleDnsRecordDeleted(record.Name, record.Zone, entry.CreatedAt);
        }

        await journal.RemoveAsync(key, cancellationToken);
    }

    private async Task CallAsync(
        DnsTxtRecord record,
        IDnsProvider provider,
        Func<DnsTxtRecord, CancellationToken, Task> call,
        string done,
        CancellationToken cancellationToken)
    {
        try
        {
            await EndAsync(call(record, cancellationToken), provider, cancellationToken);
        }
        catch (DnsProviderException exception)
        {
            var message = $"{record.ChallengeName}: the TXT record {record.Name} could not be {done}. {exception.Message}";
            throw new ChallengeException(message + WhyThere(record, exception.Fault), exception)
            {
                Fault = FaultOf(exception.Fault),
                RetryAfter = exception.RetryAfter,
                RequiredRecords = exception.RequiredRecords,
            };
        }
        catch (Exception exception) when (exception is not ChallengeException
            && !(exception is OperationCanceledException && cancellationToken.IsCancellationRequested))
        {
            // A custom provider that violates its contract, or whose own time-out is over.
            throw new ChallengeException(
                $"{record.ChallengeName}: the TXT record {record.Name} in zone {record.Zone} could not be {done} "
                + $"by {provider.Description}. {exception.GetType().Name}: {exception.Message}",
                exception)
            {
                Fault = ChallengeFault.Local,
            };
        }
    }

    private static string WhyThere(DnsTxtRecord record, DnsProviderFault fault)
        => record.Name == record.ChallengeName
            || fault is DnsProviderFault.RateLimited or DnsProviderFault.Unavailable or DnsProviderFault.SetUpNeeded
                ? ""
                : $" The CNAME of {record.ChallengeName} leads to zone {record.Zone}: configure a DNS provider with " +
                    $"\"Zones\": [\"{record.Zone}\"], remove the CNAME, or set FollowCnames to false.";

    /// <summary>
    /// Waits for a call even after it was canceled, because only one change of a name is allowed at a time. The wait is limited in case the
    /// provider ignores cancellation.
    /// </summary>
    private async Task EndAsync(Task call, IDnsProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (!call.IsCompleted)
        {
            await StoppedAsync(call, provider, cancellationToken);
        }
    }

    private async Task StoppedAsync(Task call, IDnsProvider provider, CancellationToken cancellationToken)
    {
        try
        {
            await call.WaitAsync(TimeToStop, time, CancellationToken.None);
        }
        catch (TimeoutException) when (!call.IsCompleted)
        {
            throw new OperationCanceledException(
                $"{provider.Description} was canceled and did not stop within {TimeToStop.TotalSeconds:0} s; its call is abandoned.",
                cancellationToken);
        }
    }

    private static ChallengeFault FaultOf(DnsProviderFault fault) => fault switch
    {
        DnsProviderFault.Unauthorized or DnsProviderFault.ZoneNotFound or DnsProviderFault.SetUpNeeded => ChallengeFault.Operator,
        DnsProviderFault.RateLimited or DnsProviderFault.Unavailable => ChallengeFault.Local,
        _ => ChallengeFault.Name,
    };
}
