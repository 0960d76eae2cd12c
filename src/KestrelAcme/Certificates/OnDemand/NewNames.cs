using System.Net;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Admits names that are allowed and new: checks where they lead, counts them against the limits that all instances share, and stores them,
/// before anything is ordered. Names that come at the same time share a round: one lease, and one change of the counts.
/// </summary>
/// <remarks>Safe for concurrent use. If the store is unavailable, nothing is admitted.</remarks>
internal sealed class NewNames(
    OnDemandNames names, OnDemandAddressCheck addresses, ConfigurationSource configuration, TimeProvider time, ILogger<NewNames> logger)
{
    private const int WritesAtOnce = 16;

    // The other instances get their turn in between.
    private const int MostInARound = 200;
    private const int Attempts = 3;
    private static readonly TimeSpan StoreRetry = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LimitRetry = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LeaseDuration = TimeSpan.FromSeconds(30);

    // Usually it is free within milliseconds. A holder that died must not cost fifty requests a second.
    private static readonly TimeSpan LeasePoll = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromSeconds(1);

    // Longer than the lease of a process that died.
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _turn = new(1);
    private List<Candidate>? _next;

    // What was read last. Counts only grow within their window, so a name that is over a limit by it is over it by the store, too.
    private volatile NewNameCounts _counts = new();

    /// <summary>Admits a name, or other settings of one, which may mean another order, and stores its record.</summary>
    /// <param name="subject">The name, which is that of the record.</param>
    /// <param name="record">The name and its settings.</param>
    /// <param name="isChange">Whether the name was admitted with other settings.</param>
    /// <param name="client">The client that asked for it.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<NewNameAdmission> AdmitAsync(
        CertificateIdentifier subject, OnDemandRecord record, bool isChange, IPAddress? client, CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;

        // What could never be ordered must not be counted.
        var (certificates, invalid) = OnDemandSpecifications.Create(record, snapshot);
        if (invalid is not null)
        {
            return new NewNameAdmission(null, invalid, IssuanceDecision.DefaultDenial);
        }

        var all = certificates[0].Identifiers;
        if (NewNamePolicy.Take(_counts, all, client, time.GetUtcNow(), snapshot.OnDemand!).Refusal is { } full)
        {
            return (isChange ? null : await FindAdmittedAsync(subject, cancellationToken)) ?? new NewNameAdmission(null, full, LimitRetry);
        }

        if (snapshot.OnDemand!.CheckAddress && await addresses.FindObstacleAsync(all, record, cancellationToken) is { } obstacle)
        {
            return new NewNameAdmission(null, obstacle, LimitRetry);
        }

        return await JoinAsync(new Candidate(subject, all, record, isChange, client), cancellationToken).WaitAsync(cancellationToken);
    }

    /// <summary>Finds a name that another instance admitted, perhaps a moment ago: then it is not new.</summary>
    /// <returns><see langword="null"/> if there is none; a refusal if the store cannot be read.</returns>
    public async Task<NewNameAdmission?> FindAdmittedAsync(CertificateIdentifier subject, CancellationToken cancellationToken)
    {
        try
        {
            return await names.ReadAsync(subject, cancellationToken) is { } stored
                ? new NewNameAdmission(stored) { WasStored = true }
                : null;
        }
        catch (StorageUnavailableException exception)
        {
            return Unavailable(exception);
        }
    }

    private Task<NewNameAdmission> JoinAsync(Candidate candidate, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_next is null or { Count: MostInARound })
            {
                var round = _next = [];
                _ = Task.Run(() => RunRoundAsync(round, cancellationToken), CancellationToken.None);
            }

            _next.Add(candidate);
        }

        return candidate.Admission.Task;
    }

    private async Task RunRoundAsync(List<Candidate> round, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(CancellationToken.None);
        lock (_gate)
        {
            if (_next == round)
            {
                _next = null;
            }
        }

        try
        {
            await AdmitAsync(round, Attempts, cancellationToken);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            round.ForEach(c => c.Admission.TrySetResult(Unavailable(exception)));
        }
        catch (Exception exception)
        {
            round.ForEach(c => c.Admission.TrySetException(exception));
        }
        finally
        {
            _turn.Release();
        }
    }

    // A lease can be lost in a process that stood still for longer than it lasts. What was stored under it is admitted.
    private async Task AdmitAsync(List<Candidate> round, int attempts, CancellationToken cancellationToken)
    {
        try
        {
            await AdmitAsync(round, cancellationToken);
        }
        catch (LeaseLostException) when (attempts > 1)
        {
            await AdmitAsync(round.FindAll(c => !c.Admission.Task.IsCompleted), attempts - 1, cancellationToken);
        }
    }

    private async Task AdmitAsync(List<Candidate> round, CancellationToken cancellationToken)
    {
        var acquired = await LeaseWait.AcquireAsync(
            names.Storage, StorageLayout.OnDemandLease, LeaseDuration, LeasePoll, LongestWait, time, cancellationToken, LongestPoll);
        await using var keeper = LeaseKeeper.Keep(acquired, LeaseDuration, time);
        var known = await names.ReadAsync([.. round.Select(c => c.Subject)], cancellationToken);
        var counts = await ReadCountsAsync(cancellationToken);
        var (now, limits) = (time.GetUtcNow(), configuration.Current.OnDemand!);
        var admitted = new List<Candidate>(round.Count);
        foreach (var candidate in round)
        {
            var isStored = known.TryGetValue(candidate.Subject.Value, out var stored);
            if (isStored && (!candidate.IsChange || stored!.HasSameSettingsAs(candidate.Record)))
            {
                // Another instance admitted it, or this one for another client.
                candidate.Admission.TrySetResult(new NewNameAdmission(stored) { WasStored = true });
                continue;
            }

            if (!candidate.IsCounted)
            {
                (counts, var refusal) = NewNamePolicy.Take(counts, candidate.All, candidate.Client, now, limits);
                if (refusal is not null)
                {
                    candidate.Admission.TrySetResult(new NewNameAdmission(null, refusal, LimitRetry));
                    continue;
                }
            }

            known[candidate.Subject.Value] = candidate.Record;
            admitted.Add(candidate);
        }

        // Counted first: a crash in between must not make a name free.
        _counts = counts;
        if (admitted.Count > 0)
        {
            await names.Storage.WriteAsync(StorageLayout.OnDemandBudget, counts.Encode(), keeper.Lease, cancellationToken);
            admitted.ForEach(static c => c.IsCounted = true);
        }

        await Parallel.ForEachAsync(
            admitted,
            new ParallelOptions { MaxDegreeOfParallelism = WritesAtOnce, CancellationToken = cancellationToken },
            async (candidate, token) =>
            {
                await names.WriteAsync(candidate.Subject, candidate.Record, keeper.Lease, token);
                if (!candidate.IsChange)
                {
                    logger.OnDemandNameAdded(Quoted.Name(candidate.Subject.Value), candidate.Client);
                }

                candidate.Admission.TrySetResult(new NewNameAdmission(candidate.Record) { WasStored = candidate.IsChange });
            });
    }

    private async Task<NewNameCounts> ReadCountsAsync(CancellationToken cancellationToken)
    {
        if (await names.Storage.ReadAsync(StorageLayout.OnDemandBudget, cancellationToken) is not { } value)
        {
            // Somebody deleted it, or the store was emptied: names do not become free by that.
            return _counts;
        }

        try
        {
            return NewNameCounts.Decode(value.Span);
        }
        catch (DamagedValueException exception)
        {
            // What this instance knows is better than nothing.
            logger.ValueUnreadable(StorageLayout.OnDemandBudget, exception.Message);
            return _counts;
        }
    }

    private static NewNameAdmission Unavailable(Exception exception)
        => new(null, $"the store is unavailable: {exception.Message}", StoreRetry);

    private sealed record Candidate(
        CertificateIdentifier Subject, IReadOnlyCollection<CertificateIdentifier> All, OnDemandRecord Record, bool IsChange,
        IPAddress? Client)
    {
        // It is counted once, also if its lease was lost before it was stored.
        public bool IsCounted { get; set; }

        public TaskCompletionSource<NewNameAdmission> Admission { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>Whether a name was admitted.</summary>
/// <param name="Record">The record that is stored now; <see langword="null"/> if it was not admitted.</param>
/// <param name="Refusal">Why it was not.</param>
/// <param name="Again">How long nobody has to try again.</param>
internal sealed record NewNameAdmission(OnDemandRecord? Record, string? Refusal = null, TimeSpan Again = default)
{
    /// <summary>Whether the store had the name before, so that there may be a certificate.</summary>
    public bool WasStored { get; init; }
}
