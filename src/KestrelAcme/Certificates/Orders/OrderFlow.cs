using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Obtains one certificate, from the intent to the checked chain, and resumes what a crash or a shutdown left behind. Runs under the lease
/// of its set of names.
/// </summary>
internal sealed class OrderFlow(
    AuthorizationFlow authorizations,
    CaaStep caa,
    PersistStep persist,
    Rehearsal rehearsal,
    OrderProgress progress,
    CertificateDownload download,
    TimeProvider time,
    ILogger<OrderFlow> logger)
{
    private static readonly TimeSpan LargestClockSkew = TimeSpan.FromHours(1);

    public async Task<CertificateRecord> RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        await rehearsal.RunAsync(context, cancellationToken);
        var trial = new AccountTrial(context, time);
        var account = await PrepareAsync(context, cancellationToken);
        progress.AccountReady(context.Certificate);
        while (true)
        {
            Order? left = null;
            try
            {
                left = await OrderResumption.ResumeAsync(context, account, logger, time.GetUtcNow(), cancellationToken);
                var order = left ?? await PlaceAsync(context, account, trial, cancellationToken);
                return await FinishAsync(context, account, order, cancellationToken);
            }
            catch (Exception exception) when (left is not null && MayOrderAnew(context, exception))
            {
                logger.OrderDropped(context.Specification.Id, left.Url, exception.Message);
                await context.Writer.ForgetAsync(cancellationToken);
                context.ThrowIfLimited();
            }
            catch (AcmeException exception) when (trial.MayHaveSuccessor(exception))
            {
                if (await trial.FindSuccessorAsync(account, exception, cancellationToken) is not { } successor)
                {
                    throw;
                }

                // Orders belong to the account, whatever its key is: with another account, the flow starts again, once.
                if (successor.Url != account.Url || context.Writer.Pending is { OrderUrl: null })
                {
                    await context.Writer.ForgetAsync(cancellationToken);
                }

                account = successor;
            }
        }
    }

    // There is no order yet: a host that stops does not wait for a CA that is slow or unreachable.
    private static async Task<IAuthorityAccount> PrepareAsync(OrderContext context, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.Stopping);
        using var step = OrderActivities.StartStep(OrderActivities.OpenAccount);
        try
        {
            await CheckAuthorityAsync(context, either.Token);
            var account = await context.Authority.Accounts.OpenAsync(context.TermsAccepted, either.Token);
            step.Done();
            return account;
        }
        catch (AcmeRateLimitedException exception)
        {
            // The request named no names: the limit is the same for all of them.
            throw new AccountLimitedException(exception);
        }
    }

    private static async Task CheckAuthorityAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var client = context.Authority.Client;
        await ReadDirectoryAsync(client, cancellationToken);
        if (client.ClockSkew is not { } skew || skew.Duration() <= LargestClockSkew)
        {
            return;
        }

        // The skew is that of the last response, which may be an hour old: the clock may have been set since.
        await client.RefreshDirectoryAsync(cancellationToken);
        if (client.ClockSkew is { } still && still.Duration() > LargestClockSkew)
        {
            throw new ClockSkewException(still, context.Authority.Specification.DirectoryUrl);
        }
    }

    // An order without end, or with a certificate that cannot be used, allows one order a day, unless the operator asks and no other
    // download could help. The CA has just shown the order, so it is neither down nor unreachable.
    private bool MayOrderAnew(OrderContext context, Exception exception)
        => context.Writer.Pending is { } pending
            && ((context.IsForced && exception is UnusableCertificateException { IsLeafWrong: true })
                || (StoredOrders.IsOfOrder(exception)
                    && StoredOrders.IsOpenForLong(pending, context.Certificate.Current, time.GetUtcNow())));

    private async Task<CertificateRecord> FinishAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        try
        {
            if (order.Status is OrderStatus.Pending or OrderStatus.Unknown)
            {
                await authorizations.RunAsync(context, account, order, cancellationToken);
                using var step = OrderActivities.StartStep(OrderActivities.PollOrder);
                order = await account.WaitForOrderAsync(
                    order.Url, status => status is not (OrderStatus.Pending or OrderStatus.Unknown), cancellationToken);
                step.Done();
            }

            if (order.Status == OrderStatus.Ready)
            {
                context.Stopping.ThrowIfCancellationRequested();
                await context.Writer.StoreAgainAsync(cancellationToken);
                order = await FinalizeAsync(context, account, order, cancellationToken);
            }

            // Besides "processing", a server may show the previous status for a while after the request.
            if (order.Status is not (OrderStatus.Valid or OrderStatus.Invalid))
            {
                order = await account.WaitForOrderAsync(order.Url, static _ => false, cancellationToken);
            }

            ThrowIfNotIssued(order);
            return await download.RunAsync(context, account, order, cancellationToken);
        }
        catch (Exception exception) when (StoredOrders.IsLost(exception))
        {
            context.Writer.GiveUpOrder();
            throw;
        }
    }

    private static void ThrowIfNotIssued(Order order)
    {
        if (order.Status != OrderStatus.Valid)
        {
            var reason = order.Error?.ToString() ?? "without a reason";
            throw new OrderFailedException($"The CA set the order {order.Url} to {order.Status}: {reason}", order.Error);
        }

        if (order.CertificateUrl is null)
        {
            throw new AcmeMalformedResponseException($"The order {order.Url} is valid, but the CA gave no URL for its certificate.");
        }
    }

    private async Task<Order> PlaceAsync(
        OrderContext context, IAuthorityAccount account, AccountTrial trial, CancellationToken cancellationToken)
    {
        // A left order that could not be resumed was not checked for this: it would have cost nothing.
        context.ThrowIfLimited();
        context.Stopping.ThrowIfCancellationRequested();
        await caa.CheckAsync(context, account, cancellationToken);
        await persist.CheckAsync(context, account, cancellationToken);
        await trial.EnterAsync(cancellationToken);
        var intent = StoredOrders.Intent(context, account.Url, time.GetUtcNow());
        await context.Writer.StoreIntentAsync(intent, cancellationToken);
        using var step = OrderActivities.StartStep(OrderActivities.PlaceOrder);
        var order = await OrderPlacement.PlaceAsync(context, account, trial, logger, cancellationToken);
        await trial.AcceptedAsync(account, cancellationToken);
        context.Certificate.PlacedOrder = order.Url;
        if (context.IsTaken(order.Url))
        {
            throw new OrderTakenException(order.Url);
        }

        if (order.Status == OrderStatus.Valid && order.Url.OriginalString == context.Current?.Metadata.OrderUrl)
        {
            // Stored, it would count as done, and its failures with it.
            throw new OrderRepeatedException(order.Url);
        }

        step.Done();
        try
        {
            await context.Writer.StoreOrderUrlAsync(order.Url, order.Expires, cancellationToken);
        }
        finally
        {
            // Not sooner: a process that is killed in between must not leave an order in its log that nobody resumes. If the store fails,
            // the log is all that is left of the URL.
            logger.OrderPlaced(context.Specification.Id, order.Url);
        }

        progress.OrderPlaced(context.Certificate);
        return order;
    }

    private async Task<Order> FinalizeAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.FinalizeOrder);
        try
        {
            order = await OrderFinalization.SendAsync(context, account, order, cancellationToken);
        }
        catch (AcmeException exception) when (StoredOrders.RefusesKey(exception) && IsKeyOfCurrent(context))
        {
            // The reused key of the previous certificate is refused now: the order is still ready for a request with another key.
            logger.KeyRefused(context.Specification.Id, exception.Message);
            await context.Writer.ReplaceKeyAsync(CertificateKeys.Generate(context.Specification.KeyAlgorithm), cancellationToken);
            order = await OrderFinalization.SendAsync(context, account, order, cancellationToken);
        }

        step.Done();
        progress.Finalized(context.Certificate);
        return order;
    }

    private static bool IsKeyOfCurrent(OrderContext context)
        => context.Current is { } current && context.Writer.Pending?.PrivateKey.AsSpan().SequenceEqual(current.PrivateKey.Span) == true;

    private static async Task ReadDirectoryAsync(IAuthorityClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetDirectoryAsync(cancellationToken);
        }
        catch (AcmeException exception)
            when (exception.StatusCode is < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests
                && exception is not AcmeMalformedResponseException)
        {
            // A wrong directory URL is not the fault of a name.
            throw new AcmeMalformedResponseException(exception.Message, exception)
            {
                StatusCode = exception.StatusCode,
                Problem = exception.Problem,
                Url = exception.Url,
            };
        }
    }
}
