using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>
/// Cleans up in the background after dead instances and failed deletions, and releases this instance's lease at shutdown. Never throws.
/// </summary>
internal sealed class StaleRecordService(
    StaleRecordSweep sweep,
    RecordOwner owner,
    ConfigurationSource configuration,
    TimeProvider time,
    ILogger<StaleRecordService> logger) : BackgroundService
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
        // The host's startup waits until this method yields for the first time.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
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
            return configuration.Current is { Enabled: true, Issuance: IssuanceMode.Automatic, DnsProviders.Count: > 0 }
                && await sweep.RunAsync(cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            logger.StaleDnsRecordsNotSwept(exception.Message);
            return true;
        }
    }
}
