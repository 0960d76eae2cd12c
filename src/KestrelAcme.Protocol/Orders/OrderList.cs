using System.Net;
using System.Text.Json;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Orders;

/// <summary>Reads an account's list of orders page by page.</summary>
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
                var answer = await account.FetchAsync("Reading the list of orders", page, cancellationToken).ConfigureAwait(false);
                orders.AddRange(ReadPage(answer).Take(MaxOrders - orders.Count));
                page = answer.Links.FirstOrDefault(link => link.Relation == "next")?.Url;
            }
            catch (AcmeException e) when (IsAbsent(e))
            {
                return null;
            }
        }

        return details.OrdersUrl is null ? null : orders;
    }

    // RFC 8555 section 7.1.2.1 has an object with a member "orders"; smallstep's server, and so Caddy, sends the bare array.
    internal static List<Uri> ReadPage(AcmeResponse answer)
    {
        using var document = answer.Read(AcmeJson.Default.JsonDocument);
        var root = document.RootElement;
        var list = root.ValueKind == JsonValueKind.Object ? JsonText.Members(root).FirstOrDefault(member => member.Name == "orders").Value : root;
        if (list.ValueKind != JsonValueKind.Array)
        {
            throw answer.Malformed("that is not a list of orders");
        }

        return [.. list.EnumerateArray().Select(order => answer.Link(JsonText.Read(order), "orders")).OfType<Uri>()];
    }

    // Some servers name a list that they do not have, or not in a form that anybody could read.
    private static bool IsAbsent(AcmeException exception) => exception is AcmeMalformedResponseException
        || exception.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented;
}
