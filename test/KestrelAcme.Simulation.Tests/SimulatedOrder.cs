using KestrelAcme.Protocol.Orders;

namespace KestrelAcme.Simulation.Tests;

/// <summary>An order at the model.</summary>
internal sealed class SimulatedOrder(int number, NewOrderRequest request, DateTimeOffset expires)
{
    public int Number => number;

    public NewOrderRequest Request => request;

    public DateTimeOffset Expires => expires;

    public string Token => $"token-{number}";

    public bool Posted { get; set; }

    public OrderStatus Status { get; set; } = OrderStatus.Pending;

    public IReadOnlyList<ReadOnlyMemory<byte>>? Chain { get; set; }
}
