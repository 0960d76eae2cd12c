using System.Diagnostics;
using KestrelAcme.Certificates.Orders;

namespace KestrelAcme.TestApp;

/// <summary>Ends the process, as by kill -9, as soon as an order reaches a step.</summary>
internal sealed class KillingObserver(OrderStep step, bool armed) : IOrderObserver
{
    private volatile bool _armed = armed;
    private volatile bool _begun;

    /// <summary>From now on the step is deadly, in an order that begins after this: the one before may not be quite over.</summary>
    public void Arm() => _armed = true;

    public void Reached(string certificateId, OrderStep reached)
    {
        _begun |= _armed && reached == OrderStep.LeaseTaken;
        if (_begun && reached == step)
        {
            Process.GetCurrentProcess().Kill();

            // The signal is on its way: nothing more of the order may happen here.
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }
}
