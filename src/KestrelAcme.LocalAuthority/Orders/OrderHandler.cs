using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Reads orders.</summary>
internal sealed class OrderHandler(OrderBook orders) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Order;

    public AcmeResponse Handle(AcmeRequest request)
    {
        request.RequirePostAsGet();
        var order = orders.Require(request.Route.Id, request.Signer);
        var answer = orders.Answer(200, order, request.Urls);
        orders.Poll(order);
        return answer;
    }
}
