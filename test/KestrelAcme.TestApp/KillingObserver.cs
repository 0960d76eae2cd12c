using System.Diagnostics;
using KestrelAcme.Certificates.Orders;

namespace KestrelAcme.TestApp;

/// <summary>Ends the process, as by kill -9, as soon as an order reaches a step.</summary>
internal sealed class KillingObserver(OrderStep step, bool armed) : IOrderObserver
{
    private volatile bool _armed = armed;

    /// <summary>From now on the step is deadly.</summary>
    public void Arm() => _armed = true;

    public void Reached(string certificateId, OrderStep reached)
    {
        if (_armed && reached == step)
        {
            Process.GetCurrentProcess().Kill();

            // The signal is on its way: nothing more of the order may happen here.
            using var never = new ManualResetEventSlim();
            never.Wait();
        }
    }
}
