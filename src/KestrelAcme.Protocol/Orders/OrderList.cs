using System.Net;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Orders;

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
