using System.Diagnostics;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.TestApp;

/// <summary>
/// Ends the process, as by kill -9, as soon as an order has done a step: the activity of that step ends without an error.
/// </summary>
internal sealed class KillingListener : IDisposable
{
    private readonly string _step;
    private readonly ActivityListener _listener;
    private volatile bool _armed;
    private volatile bool _begun;

    public KillingListener(string step, bool armed)
    {
        _step = step;
        _armed = armed;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == OrderActivities.SourceName,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStarted = activity => _begun |= _armed && activity.OperationName == OrderActivities.Order,
            ActivityStopped = KillAtStep,
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>From now on the step is deadly, in an order that begins after this: the one before may not be quite over.</summary>
    public void Arm() => _armed = true;

    public void Dispose() => _listener.Dispose();

    private void KillAtStep(Activity activity)
    {
        if (_begun && activity.OperationName == _step && activity.Status != ActivityStatusCode.Error)
        {
            Process.GetCurrentProcess().Kill();

            // The signal is on its way: nothing more of the order may happen here.
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }
}
