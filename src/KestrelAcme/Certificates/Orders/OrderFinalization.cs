using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Sends the request of an order that is ready (RFC 8555 section 7.4), and finds out what became of it if the answer is lost or a refusal.
/// </summary>
internal static class OrderFinalization
{
    /// <exception cref="OrderFailedException">The refusal ended the order, or is one by CAA, which is not asked for again.</exception>
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
            // The answer was lost, not the request: look before asking again.
            order = await account.GetOrderAsync(order.Url, cancellationToken);
            return order.Status == OrderStatus.Ready ? await RequestAsync(account, order, request, cancellationToken) : order;
        }
    }

    private static async Task<Order> RequestAsync(
        IAuthorityAccount account, Order order, byte[] request, CancellationToken cancellationToken)
    {
        if (order.FinalizeUrl is null)
        {
            throw new AcmeMalformedResponseException($"The order {order.Url} is ready, but the authority names no URL to finalize it at.");
        }

        try
        {
            return await account.FinalizeOrderAsync(order, request, cancellationToken);
        }
        catch (AcmeException exception) when (StoredOrders.IsRefusal(exception) && exception.Problem is not null)
        {
            // CAA records are looked at once more before a certificate is issued; and a refusal may have ended the order, or have come
            // because it was finalized already.
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

    // The refusal is what counts, whether or not the order can be read.
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
