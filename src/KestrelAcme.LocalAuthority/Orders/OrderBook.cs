using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Stores orders and combines them with their authorizations.</summary>
internal sealed class OrderBook(AuthorizationBook authorizations, AuthorityFaults faults, TimeProvider time)
{
    private readonly ResourceTable<Order> _table = new();

    public ResourceTable<Order> Table => _table;

    /// <summary>Returns the order if it exists, has not expired, and belongs to the account.</summary>
    public Order Require(string id, Account account)
    {
        if (!_table.TryGet(id, out var order) || IsGone(order))
        {
            throw Problem.NotFound("order").ToException();
        }

        return order.AccountId == account.Id
            ? order
            : throw Problem.Unauthorized("The order belongs to another account.").ToException();
    }

    public OrderStatus StatusOf(Order order) => order.StatusFor(AuthorizationStatuses(order), faults.ProcessingStuck);

    public Order Poll(Order order)
    {
        var statuses = AuthorizationStatuses(order);
        return _table.Update(order.Id, o => o.Polled(statuses)) ?? order;
    }

    public IEnumerable<Order> OfAccount(string accountId) =>
        _table.Snapshot().Where(o => o.AccountId == accountId && !IsGone(o));

    /// <summary>Creates a response with the current state of the order.</summary>
    public AcmeResponse Answer(int status, Order order, ResourceUrls urls)
    {
        var orderStatus = StatusOf(order);
        var error = orderStatus == OrderStatus.Invalid ? order.Error ?? ErrorOf(order) : null;
        var resource = OrderResource.Of(order, orderStatus, error, urls, faults.Shuffle);
        return AcmeResponse.Of(status, resource, AuthorityJson.Default.OrderResource) with
        {
            Location = urls.Order(order.Id),
            RetryAfter = orderStatus == OrderStatus.Processing ? faults.PollingRetryAfter : null,
        };
    }

    private bool IsGone(Order order) => !order.Claimed && time.GetUtcNow() >= order.Expires;

    private AuthorizationStatus[] AuthorizationStatuses(Order order)
    {
        var now = time.GetUtcNow();
        return [.. order.AuthorizationIds
            .Select(id => authorizations.Table.TryGet(id, out var a) ? a.StatusAt(now) : AuthorizationStatus.Expired)];
    }

    private Problem? ErrorOf(Order order)
    {
        var failures = new List<Problem>();
        foreach (var id in order.AuthorizationIds)
        {
            if (authorizations.Table.TryGet(id, out var authorization)
                && authorization.Challenges.FirstOrDefault(c => c.Error is not null)?.Error is { } error)
            {
                failures.Add(error with { Identifier = authorization.Identifier });
            }
        }

        return failures switch
        {
            [] => null,
            [var only] => only,
            _ => Problem.Of("compound", 403, $"{failures.Count} names could not be validated.") with { Subproblems = failures },
        };
    }
}
