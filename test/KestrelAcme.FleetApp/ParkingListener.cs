using System.Diagnostics;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.FleetApp;

/// <summary>
/// Keeps orders at a step, each at its own: as soon as the activity of that step has ended without an error, nothing more of the order
/// happens, until somebody kills the process.
/// </summary>
internal sealed class ParkingListener : IDisposable
{
    private readonly Dictionary<string, string> _steps;
    private readonly ActivityListener _listener;

    /// <param name="steps">The steps by name, as <c>name=step;name=step</c>.</param>
    public ParkingListener(string steps)
    {
        _steps = steps.Split(';').Select(s => s.Split('=')).ToDictionary(s => s[0], s => s[1], StringComparer.Ordinal);

        // Each order that is kept takes a thread.
        ThreadPool.GetMinThreads(out var workers, out var ports);
        ThreadPool.SetMinThreads(workers + _steps.Count, ports);
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == OrderActivities.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = Park,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public void Dispose() => _listener.Dispose();

    private void Park(Activity step)
    {
        var order = step;
        while (order.Parent is { } parent)
        {
            order = parent;
        }

        if (step.Status != ActivityStatusCode.Error
            && order.GetTagItem(InstrumentTags.CertificateId) is string name
            && _steps.GetValueOrDefault(name) == step.OperationName)
        {
            Console.WriteLine($"FleetApp: {name} stands still after {step.OperationName}");
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }
}
