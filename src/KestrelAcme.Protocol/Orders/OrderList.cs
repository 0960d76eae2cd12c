using System.Net;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;

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
                var document = answer.Read(AcmeJson.Default.OrderListDocument);
                orders.AddRange((document.Orders ?? []).Take(MaxOrders - orders.Count).Select(text => answer.Link(text, "orders")).OfType<Uri>());
                page = answer.Links.FirstOrDefault(link => link.Relation == "next")?.Url;
            }
            catch (AcmeException e) when (e.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed or HttpStatusCode.NotImplemented)
            {
                // Some servers name a list that they do not have.
                return null;
            }
        }

        return details.OrdersUrl is null ? null : orders;
    }
}
