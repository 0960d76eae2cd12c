using KestrelAcme.Certificates;

namespace QuickStart;

/// <summary>Prints the events of all certificates.</summary>
internal sealed class StepPrinter(ICertificateManager certificates) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await foreach (var happened in certificates.WatchAsync(stoppingToken))
        {
            Console.WriteLine($"  {happened.At.ToLocalTime():HH:mm:ss.fff}  {happened.Message}");
            if (happened.Kind == CertificateEventKind.RenewalInfoChanged)
            {
                Console.WriteLine($"                Next renewal: {happened.Status.NextOrder?.ToLocalTime():yyyy-MM-dd HH:mm:ss}.");
            }
        }
    }
}
