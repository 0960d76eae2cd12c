using System.Buffers.Text;
using System.Text.Json;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Accounts;

/// <content>Orders, RFC 8555 section 7.4.</content>
public sealed partial class AcmeAccount
{
    /// <summary>
    /// Places an order. The request is never sent twice: if the response is lost, the exception has
    /// <see cref="AcmeException.RequestMayHaveBeenProcessed"/> set. Because a server may return a pending order for the same names, do
    /// not place orders for the same account and names in parallel.
    /// </summary>
    /// <param name="request">The names and other properties of the order.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ArgumentException">The request has no name or address.</exception>
    public async Task<Order> CreateOrderAsync(NewOrderRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Identifiers.Count == 0)
        {
            throw new ArgumentException("An order needs at least one name or address.", nameof(request));
        }

        var directory = await Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var payload = new NewOrderPayload
        {
            Identifiers = [.. request.Identifiers.Select(identifier => identifier.ToDocument())],
            NotBefore = WireTime.Write(request.NotBefore),
            NotAfter = WireTime.Write(request.NotAfter),
            Profile = request.Profile,
            Replaces = request.Replaces?.Value,
        };
        var response = await Client.PostAsync(
            new AcmeCall("Creating the order", directory.NewOrder) { IsRepeatable = false, Kind = AcmeRequestKind.NewOrder },
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewOrderPayload),
            cancellationToken).ConfigureAwait(false);
        return Order.FromResponse(response, response.Location ?? throw response.Malformed("the order's URL is missing (Location header)"));
    }

    /// <summary>Fetches an order.</summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmeException">The request failed, for example with 404 if the order has expired.</exception>
    public async Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken = default) =>
        Order.FromResponse(await FetchAsync("Reading the order", orderUrl, cancellationToken).ConfigureAwait(false), orderUrl);

    /// <summary>
    /// Finalizes an order that is ready: sends its certificate signing request. It is never sent twice blindly: if the
    /// response is lost, fetch the order.
    /// </summary>
    /// <param name="order">The order.</param>
    /// <param name="csrDer">The signing request in DER; see <see cref="Certificates.CertificateRequestBuilder"/>.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns>The order, usually <see cref="OrderStatus.Processing"/> or <see cref="OrderStatus.Valid"/>, with the URL of
    /// <paramref name="order"/>.</returns>
    /// <exception cref="ArgumentException">The order has no <see cref="Order.FinalizeUrl"/>.</exception>
    public async Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> csrDer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        var url = order.FinalizeUrl ?? throw new ArgumentException("The order has no finalize URL.", nameof(order));
        var payload = new FinalizePayload { Csr = Base64Url.EncodeToString(csrDer.Span) };
        try
        {
            var response = await Client.PostAsync(
                new AcmeCall("Finalizing the order", url) { IsRepeatable = false },
                Sender,
                JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.FinalizePayload),
                cancellationToken).ConfigureAwait(false);
            return Order.FromResponse(response, order.Url);
        }
        catch (AcmeException e) when (e.FollowsLostAttempt && e.HasProblem(AcmeProblemTypes.OrderNotReady))
        {
            // If the server answered 503 before, it may have processed that first request after all.
            var now = await GetOrderAsync(order.Url, cancellationToken).ConfigureAwait(false);
            if (now.Status is OrderStatus.Processing or OrderStatus.Valid)
            {
                return now;
            }

            throw;
        }
    }

    /// <summary>
    /// Polls an order until its status is accepted by the caller or is final (valid or invalid). Check the status of
    /// the result.
    /// </summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="isAwaited">Returns <see langword="true"/> to stop at a status.</param>
    /// <param name="options">How to poll; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="AcmePollingTimeoutException">The timeout expired.</exception>
    public Task<Order> WaitForOrderAsync(
        Uri orderUrl, Func<OrderStatus, bool> isAwaited, AcmePollingOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(isAwaited);
        return Poller.WaitAsync(
            "Waiting for the order",
            orderUrl,
            token => GetOrderAsync(orderUrl, token),
            order => order.Status is OrderStatus.Valid or OrderStatus.Invalid || isAwaited(order.Status),
            order => order.RetryAfter,
            order => order.Status.ToString(),
            options ?? new AcmePollingOptions(),
            Client.TimeProvider,
            cancellationToken);
    }

    /// <summary>Fetches the account's list of orders (RFC 8555 section 7.1.2.1), at most 10,000.</summary>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <returns><see langword="null"/> if the server has no such list (Let's Encrypt has none), or it cannot be read.</returns>
    public Task<IReadOnlyList<Uri>?> GetOrdersAsync(CancellationToken cancellationToken = default) =>
        OrderList.ReadAsync(this, cancellationToken);
}
