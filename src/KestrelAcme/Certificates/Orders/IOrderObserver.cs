namespace KestrelAcme.Certificates.Orders;

/// <summary>Told of each step right after it was done. Tests use it to end the process there.</summary>
internal interface IOrderObserver
{
    void Reached(string certificateId, OrderStep step);
}
