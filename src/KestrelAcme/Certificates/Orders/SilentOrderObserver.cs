namespace KestrelAcme.Certificates.Orders;

/// <summary>Observes nothing.</summary>
internal sealed class SilentOrderObserver : IOrderObserver
{
    public void Reached(string certificateId, OrderStep step)
    {
    }
}
