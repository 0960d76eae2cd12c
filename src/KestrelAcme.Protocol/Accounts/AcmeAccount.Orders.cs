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
    /// Creates an order. It is never sent twice: when the answer is lost, the exception's <see cref="AcmeException.RequestMayHaveBeenProcessed"/> is set.
    /// A server may give back a pending order of the same names, so orders of one account for one set of names are to be serial.
    /// </summary>
    /// <param name="request">What is ordered.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
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
        var answer = await Client.PostAsync(
            new AcmeCall("Creating the order", directory.NewOrder) { IsRepeatable = false, Kind = AcmeRequestKind.NewOrder },
            Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewOrderPayload),
            cancellationToken).ConfigureAwait(false);
        return Order.FromResponse(answer, answer.Location ?? throw answer.Malformed("the order's URL is missing (Location header)"));
    }

    /// <summary>Reads an order.</summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmeException">Among others 404, once the order has expired.</exception>
    public async Task<Order> GetOrderAsync(Uri orderUrl, CancellationToken cancellationToken = default) =>
        Order.FromResponse(await FetchAsync("Reading the order", orderUrl, cancellationToken).ConfigureAwait(false), orderUrl);

    /// <summary>Sends the certificate signing request of an order that is ready. Never sent twice blindly: when the answer is lost, look at the order.</summary>
    /// <param name="order">The order.</param>
    /// <param name="csrDer">The request in DER; see <see cref="Certificates.CertificateRequestBuilder"/>.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <returns>The order, as a rule <see cref="OrderStatus.Processing"/> or <see cref="OrderStatus.Valid"/>; always under its old URL.</returns>
    /// <exception cref="ArgumentException">The order has no <see cref="Order.FinalizeUrl"/>.</exception>
    public async Task<Order> FinalizeOrderAsync(Order order, ReadOnlyMemory<byte> csrDer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        var url = order.FinalizeUrl ?? throw new ArgumentException("The order has no URL to finalize it at.", nameof(order));
        var payload = new FinalizePayload { Csr = Base64Url.EncodeToString(csrDer.Span) };
        try
        {
            var answer = await Client.PostAsync(
                new AcmeCall("Finalizing the order", url) { IsRepeatable = false },
                Sender,
                JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.FinalizePayload),
                cancellationToken).ConfigureAwait(false);
            return Order.FromResponse(answer, order.Url);
        }
        catch (AcmeException e) when (e.FollowsLostAttempt && e.HasProblem(AcmeProblemTypes.OrderNotReady))
        {
            // A 503 before this refusal may have let the first request through after all.
            var now = await GetOrderAsync(order.Url, cancellationToken).ConfigureAwait(false);
            if (now.Status is OrderStatus.Processing or OrderStatus.Valid)
            {
                return now;
            }

            throw;
        }
    }

    /// <summary>Waits until an order has a status that satisfies the caller, or one that is final (valid or invalid): look at the result.</summary>
    /// <param name="orderUrl">The order's URL.</param>
    /// <param name="isAwaited">Whether to stop at a status.</param>
    /// <param name="options">How to poll.</param>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <exception cref="AcmePollingTimeoutException">The time is up.</exception>
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

    /// <summary>Reads the account's list of orders (RFC 8555 section 7.1.2.1), bounded to 10,000.</summary>
    /// <param name="cancellationToken">Ends the operation.</param>
    /// <returns><see langword="null"/> where the server has no such list, as Let's Encrypt, or none that can be read.</returns>
    public Task<IReadOnlyList<Uri>?> GetOrdersAsync(CancellationToken cancellationToken = default) => OrderList.ReadAsync(this, cancellationToken);
}
