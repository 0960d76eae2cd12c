using System.Threading.Channels;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Keeps the names on demand in step with the store: those of earlier runs, and those that other instances add or forget.
/// </summary>
internal sealed class OnDemandUpkeep(
    OnDemandNames names, OnDemandCertificates certificates, OnDemandIssuance issuance, OnDemandLife life, DeniedNames denied,
    ConfigurationSource configuration, TimeProvider time, ILogger<OnDemandUpkeep> logger)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan ReportPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SweepPause = TimeSpan.FromMinutes(10);

    // Each time, all that this instance knows is copied.
    private const int NamesAtOnce = 4096;

    // Somebody who empties the store deletes the marker, too, a moment earlier or later.
    private static readonly TimeSpan BeforeGone = TimeSpan.FromSeconds(1);

    private readonly Channel<string> _gone = Channel.CreateUnbounded<string>();

    public async Task RunAsync(CancellationToken stopping)
    {
        using var changes = configuration.OnChange(_ => Respecify(stopping));
        await Task.WhenAll(FollowAsync(stopping), DropGoneAsync(stopping), ReportAsync(stopping), SweepAsync(stopping));
    }

    private Task FollowAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await foreach (var change in names.Storage.WatchAsync(StorageLayout.OnDemandPrefix, token))
            {
                await (change.Key is { } key ? LookAtAsync(key, token) : LookAtAllAsync(token));
            }
        },
        first: TimeSpan.Zero,
        Pause,
        time,
        exception => logger.OnDemandNamesNotFollowed(exception.Message),
        stopping);

    // Many names are forgotten in the time that it takes for one, and what is added meanwhile does not wait.
    private Task DropGoneAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        async token =>
        {
            await _gone.Reader.WaitToReadAsync(token);
            var missing = new List<OnDemandName>();
            while (missing.Count < NamesAtOnce && _gone.Reader.TryRead(out var key))
            {
                missing.AddRange(names.FindByKey(key) is { } gone ? [gone] : []);
            }

            try
            {
                await GoneAsync([.. missing], token);
            }
            catch (StorageUnavailableException)
            {
                await Task.Delay(Pause, time, token);
                missing.ForEach(name => _gone.Writer.TryWrite(OnDemandNames.KeyOf(name.Record.Name)));
                throw;
            }
        },
        first: TimeSpan.Zero,
        pause: TimeSpan.Zero,
        time,
        exception => logger.OnDemandNamesNotFollowed(exception.Message),
        stopping);

    private Task ReportAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        _ =>
        {
            denied.Report();
            return Task.CompletedTask;
        },
        ReportPause,
        ReportPause,
        time,
        static _ => { },
        stopping);

    private Task SweepAsync(CancellationToken stopping) => BackgroundLoop.RunAsync(
        life.SweepAsync,
        SweepPause,
        SweepPause,
        time,
        exception => logger.OnDemandNamesNotFollowed(exception.Message),
        stopping);

    // New settings of the configuration apply to names that have none of their own.
    private void Respecify(CancellationToken stopping)
    {
        if (configuration.Current.OnDemand is not null)
        {
            foreach (var some in names.All.Select(n => n.Record).Chunk(NamesAtOnce))
            {
                issuance.TakeUp(some, areLater: false, stopping);
            }
        }
    }

    private async Task LookAtAllAsync(CancellationToken cancellationToken)
    {
        var isLater = issuance.KnowsAll;
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var before = names.All.ToList();
        var next = new List<OnDemandRecord>();
        await foreach (var record in names.ReadAllAsync(cancellationToken))
        {
            seen.Add(record.Name);
            next.Add(record);
            if (next.Count == NamesAtOnce)
            {
                issuance.TakeUp(next, isLater, cancellationToken);
                next.Clear();
            }
        }

        issuance.TakeUp(next, isLater, cancellationToken);
        issuance.KnowsAll = true;
        await GoneAsync([.. before.Where(n => !seen.Contains(n.Record.Name))], cancellationToken);
    }

    private async Task LookAtAsync(string key, CancellationToken cancellationToken)
    {
        if (key == StorageLayout.OnDemandMark)
        {
            return;
        }

        if (await names.Storage.ReadAsync(key, cancellationToken) is not { } value)
        {
            _gone.Writer.TryWrite(key);
        }
        else if (names.Decode(key, value) is { } record)
        {
            if (names.FindByKey(key) is null)
            {
                // Another instance admitted what this one refused, a moment ago or before it was allowed.
                denied.Forget(record.Name);
            }

            issuance.TakeUp([record], areLater: true, cancellationToken);
        }
    }

    // Another instance forgot the names. If the store was emptied, it gets them back.
    private async Task GoneAsync(List<OnDemandName> missing, CancellationToken cancellationToken)
    {
        if (missing.Count == 0)
        {
            await names.MarkAsync(cancellationToken);
            return;
        }

        await Task.Delay(BeforeGone, time, cancellationToken);
        var found = await names.FindStoredAsync([.. missing.Select(n => OnDemandNames.Parse(n.Record.Name)!)], cancellationToken);
        missing.RemoveAll(n => found.Contains(n.Record.Name) || !ReferenceEquals(names.Find(n.Record.Name), n));
        if (missing.Count == 0 || await names.IsMarkedAsync(cancellationToken))
        {
            missing.ForEach(certificates.Drop);
            return;
        }

        logger.OnDemandNamesGone(missing.Count);
        foreach (var name in missing)
        {
            await names.WriteAsync(OnDemandNames.Parse(name.Record.Name)!, name.Record, lease: null, cancellationToken);
        }

        await names.MarkAsync(cancellationToken);
    }
}
