using System.Buffers.Text;
using System.Net;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Orders;

/// <summary>The requests of an account that change orders (RFC 8555 section 7.4). None is sent twice.</summary>
internal static class OrderRequests
{
    public static async Task<Order> CreateAsync(AcmeAccount account, NewOrderRequest request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (request.Identifiers.Count == 0)
        {
            throw new ArgumentException("An order needs at least one name or address.", nameof(request));
        }

        var directory = await account.Client.GetDirectoryAsync(cancellationToken).ConfigureAwait(false);
        var payload = new NewOrderPayload
        {
            Identifiers = [.. request.Identifiers.Select(identifier => identifier.ToDocument())],
            NotBefore = WireTime.Write(request.NotBefore),
            NotAfter = WireTime.Write(request.NotAfter),
            Profile = request.Profile,
            Replaces = request.Replaces?.Value,
        };
        var response = await account.Client.PostAsync(
            new AcmeCall("Creating the order", directory.NewOrder) { IsRepeatable = false, Kind = AcmeRequestKind.NewOrder },
            account.Sender,
            JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.NewOrderPayload),
            cancellationToken).ConfigureAwait(false);
        return Order.FromResponse(response, response.Location ?? throw response.Malformed("the order's URL is missing (Location header)"));
    }

    public static async Task<Order> FinalizeAsync(
        AcmeAccount account, Order order, ReadOnlyMemory<byte> csrDer, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(order);
        var url = order.FinalizeUrl ?? throw new ArgumentException("The order has no finalize URL.", nameof(order));
        var payload = new FinalizePayload { Csr = Base64Url.EncodeToString(csrDer.Span) };
        try
        {
            var response = await account.Client.PostAsync(
                new AcmeCall("Finalizing the order", url) { IsRepeatable = false },
                account.Sender,
                JsonSerializer.SerializeToUtf8Bytes(payload, AcmeJson.Default.FinalizePayload),
                cancellationToken).ConfigureAwait(false);
            return Order.FromResponse(response, order.Url);
        }
        catch (AcmeException e) when (e.FollowsLostAttempt && e.HasProblem(AcmeProblemTypes.OrderNotReady))
        {
            // If the server answered 503 before, it may have processed that first request after all.
            var now = await account.GetOrderAsync(order.Url, cancellationToken).ConfigureAwait(false);
            if (now.Status is OrderStatus.Processing or OrderStatus.Valid)
            {
                return now;
            }

            throw;
        }
    }
}

/// <summary>Reads an account's list of orders, page by page.</summary>
internal static class OrderList
{
    private const int MaxPages = 100;
    private const int MaxOrders = 10_000;

    public static async Task<IReadOnlyList<Uri>?> ReadAsync(AcmeAccount account, CancellationToken cancellationToken)
    {
        var details = await account.GetAsync(cancellationToken).ConfigureAwait(false);
        var orders = new List<Uri>();
        var page = details.OrdersUrl;
        for (var pages = 0; page is not null && pages < MaxPages && orders.Count < MaxOrders; pages++)
        {
            try
            {
                var response = await account.FetchAsync("Reading the list of orders", page, cancellationToken).ConfigureAwait(false);
                orders.AddRange(ReadPage(response).Take(MaxOrders - orders.Count));
                page = response.Links.FirstOrDefault(link => link.Relation == "next")?.Url;
            }
            catch (AcmeException e) when (IsAbsent(e))
            {
                return null;
            }
        }

        return details.OrdersUrl is null ? null : orders;
    }

    // RFC 8555 section 7.1.2.1 defines an object with a member "orders"; smallstep's server, and therefore Caddy, sends the bare array.
    internal static List<Uri> ReadPage(AcmeResponse response)
    {
        using var document = response.Read(AcmeJson.Default.JsonDocument);
        var root = document.RootElement;
        var list = root.ValueKind == JsonValueKind.Object
            ? JsonText.Members(root).FirstOrDefault(member => member.Name == "orders").Value
            : root;
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw response.Malformed("the response is not a list of orders");
        }

        return [.. list.EnumerateArray().Select(order => response.Link(JsonText.Read(order), "orders")).OfType<Uri>()];
    }

    // Some servers report the URL of a list that they do not have, or that cannot be read.
    private static bool IsAbsent(AcmeException exception) => exception is AcmeMalformedResponseException
        || exception.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented;
}
