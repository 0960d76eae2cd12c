using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Resumes the order that a crash, a stop or a failure left behind.</summary>
internal static class OrderResumption
{
    /// <summary>
    /// Finds the order of an earlier run, if it can still be finished. Only the CA knows that: the times that it gave with the order may be
    /// Go's zero time, or stale.
    /// </summary>
    /// <exception cref="OrderFailedException">The CA has ended it since. That was not counted yet: an app that dies during validation fails
    /// one each time.</exception>
    public static async Task<Order?> ResumeAsync(
        OrderContext context, IAuthorityAccount account, ILogger logger, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (context.Writer.Pending is not { OrderUrl: { } url } pending || !StoredOrders.Fits(pending, context, account.Url))
        {
            return null;
        }

        if (url != context.Certificate.PlacedOrder && !await IsOfAuthorityAsync(context, url, cancellationToken))
        {
            logger.OrderDropped(context.Specification.Id, url, "its URL does not belong to the CA");
            await context.Writer.ForgetAsync(cancellationToken);
            return null;
        }

        try
        {
            var order = await account.GetOrderAsync(url, cancellationToken);
            if (order.Status != OrderStatus.Invalid)
            {
                logger.OrderResumed(context.Specification.Id, url);
                return order;
            }

            var failure = await WhyEndedAsync(context, account, order, cancellationToken);
            context.Writer.GiveUpOrder();
            throw failure;
        }
        catch (AcmeException exception) when (StoredOrders.IsRefusal(exception) && SaysWhy(exception))
        {
            logger.OrderDropped(context.Specification.Id, url, exception.Message);
        }
        catch (AcmeException exception)
            when (exception is { StatusCode: not null, RetryAfter: null } and not AcmeRateLimitedException
                && !exception.HasProblem(AcmeProblemTypes.BadNonce))
        {
            // A server error may be temporary. One that stays for this order alone must not keep the name from being ordered.
            if (pending.Refusals + 1 < StoredOrders.MostRefusals
                || (!StoredOrders.IsOpenForLong(pending, context.Certificate.Current, now)
                    && !await RespondsAsync(account, cancellationToken)))
            {
                await context.Writer.ChangeAsync(
                    state => state with { StoredOrder = pending with { Refusals = pending.Refusals + 1 } }, cancellationToken);
                throw;
            }

            logger.OrderDropped(context.Specification.Id, url, exception.Message);
        }

        await context.Writer.ForgetAsync(cancellationToken);
        return null;
    }

    // A page of a gateway or a firewall says nothing about the order, unless there is nothing at its URL.
    private static bool SaysWhy(AcmeException refusal)
        => refusal.Problem is not null || refusal.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone;

    /// <summary>Whether the CA responds to the account, with whatever it says. Otherwise it does not fail for one order alone.</summary>
    private static async Task<bool> RespondsAsync(IAuthorityAccount account, CancellationToken cancellationToken)
    {
        try
        {
            await account.ReadAsync(cancellationToken);
            return true;
        }
        catch (AcmeException exception)
        {
            return StoredOrders.IsRefusal(exception) && SaysWhy(exception);
        }
    }

    // A URL from the store is requested only from the CA itself: an order is where the CA's other resources are. One that the CA gave to
    // this process may be anywhere.
    private static async Task<bool> IsOfAuthorityAsync(OrderContext context, Uri url, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        return IsSameServer(url, directory.NewOrder) || IsSameServer(url, context.Authority.Specification.DirectoryUrl);
    }

    private static bool IsSameServer(Uri one, Uri other)
        => one.Scheme == other.Scheme && one.Port == other.Port
            && string.Equals(one.IdnHost, other.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static async Task<OrderFailedException> WhyEndedAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        const string Cause = "an earlier run of the app ended, or gave up, while the CA was validating";
        try
        {
            foreach (var url in order.AuthorizationUrls.Distinct().Take(OrderedNames.Of(context.Specification).MostAuthorizations))
            {
                var authorization = await account.GetAuthorizationAsync(url, cancellationToken);
                if (authorization.Status == AuthorizationStatus.Invalid)
                {
                    return AuthorizationFailure.Create(authorization, Cause, leftBehind: true);
                }
            }
        }
        catch (AcmeException)
        {
            // The error of the order has to be enough.
        }

        var reason = order.Error?.ToString() ?? Cause;
        return new OrderFailedException($"The CA set the order {order.Url} to {order.Status}: {reason}", order.Error)
        {
            LeftBehind = true,
        };
    }
}
