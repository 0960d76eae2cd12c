using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Finalizes an order that is ready (RFC 8555 section 7.4), and finds out its status if the response is lost or a refusal.
/// </summary>
internal static class OrderFinalization
{
    /// <exception cref="OrderFailedException">The refusal ended the order, or is one by CAA, which is not retried.</exception>
    public static async Task<Order> SendAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        var pending = context.Writer.RequirePending();
        using var key = CertificateKeys.Read(pending.KeyAlgorithm, pending.PrivateKey);
        var request = CertificateRequestBuilder.Build(Identifiers.ToAcme(context.Specification), key);
        try
        {
            return await RequestAsync(account, order, request, cancellationToken);
        }
        catch (AcmeException exception) when (exception.RequestMayHaveBeenProcessed)
        {
            // The response was lost, not the request: check the order before a retry.
            order = await account.GetOrderAsync(order.Url, cancellationToken);
            return order.Status == OrderStatus.Ready ? await RequestAsync(account, order, request, cancellationToken) : order;
        }
    }

    private static async Task<Order> RequestAsync(
        IAuthorityAccount account, Order order, byte[] request, CancellationToken cancellationToken)
    {
        if (order.FinalizeUrl is null)
        {
            throw new AcmeMalformedResponseException($"The order {order.Url} is ready, but the CA returned no URL to finalize it.");
        }

        try
        {
            return await account.FinalizeOrderAsync(order, request, cancellationToken);
        }
        catch (AcmeException exception) when (StoredOrders.IsRefusal(exception) && exception.Problem is not null)
        {
            // The CA checks CAA records once more before it issues. A refusal may also have ended the order, or mean that it was finalized
            // already.
            var now = await TryGetOrderAsync(account, order.Url, cancellationToken);
            if (now?.Status is OrderStatus.Processing or OrderStatus.Valid)
            {
                return now;
            }

            if (now?.Status == OrderStatus.Invalid || exception.HasProblem(AcmeProblemTypes.Caa))
            {
                throw new OrderFailedException(exception.Message, exception.Problem);
            }

            throw;
        }
    }

    // The refusal counts, even if the order cannot be read.
    private static async Task<Order?> TryGetOrderAsync(IAuthorityAccount account, Uri orderUrl, CancellationToken cancellationToken)
    {
        try
        {
            return await account.GetOrderAsync(orderUrl, cancellationToken);
        }
        catch (AcmeException)
        {
            return null;
        }
    }
}
