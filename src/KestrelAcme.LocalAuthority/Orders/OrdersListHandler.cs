using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Lists an account's orders that are not invalid (RFC 8555 section 7.1.2.1), page by page.</summary>
internal sealed class OrdersListHandler(OrderBook orders, LocalAcmeAuthorityOptions options) : IResourceHandler
{
    private const int PageSize = 100;
    private const string CursorParameter = "?after=";

    public ResourceKind Resource => ResourceKind.OrdersList;

    public AcmeResponse Handle(AcmeRequest request)
    {
        request.RequirePostAsGet();
        if (!options.OfferOrdersList)
        {
            throw Problem.NotFound("resource").ToException();
        }

        var account = request.Signer;
        if (account.Id != request.Route.Id)
        {
            throw Problem.Unauthorized("The list belongs to another account.").ToException();
        }

        var all = orders.OfAccount(account.Id)
            .Where(o => orders.StatusOf(o) != OrderStatus.Invalid)
            .Select(o => o.Id)
            .Order(StringComparer.Ordinal)
            .Where(id => string.CompareOrdinal(id, CursorOf(request.Url)) > 0)
            .Take(PageSize + 1)
            .ToArray();
        var page = all.Take(PageSize).ToArray();
        var resource = new OrdersListResource([.. page.Select(request.Urls.Order)]);
        return AcmeResponse.Of(200, resource, AuthorityJson.Default.OrdersListResource) with
        {
            Links = all.Length > PageSize
                ? [$"<{request.Urls.OrdersList(account.Id)}{CursorParameter}{page[^1]}>;rel=\"next\""]
                : [],
        };
    }

    private static string CursorOf(string url)
    {
        var at = url.IndexOf(CursorParameter, StringComparison.Ordinal);
        return at < 0 ? "" : url[(at + CursorParameter.Length)..];
    }
}
