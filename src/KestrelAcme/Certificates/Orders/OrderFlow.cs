using System.Net;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Obtains one certificate, from the intent to the checked chain; resumes what a crash or a shutdown left behind. Runs under the lease of its set of names.
/// </summary>
internal sealed class OrderFlow(AuthorizationFlow authorizations, CaaStep caa, PersistStep persist, TimeProvider time, JitterSource jitter, ILogger<OrderFlow> logger)
{
    private static readonly TimeSpan LargestClockSkew = TimeSpan.FromHours(1);

    public async Task<CertificateRecord> RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var account = await PrepareAsync(context, cancellationToken);
        context.Journal.Reached(OrderStep.AccountReady);
        try
        {
            return await ObtainAsync(context, account, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
        {
            // The authority lost its data, orders included: the same key is registered again and everything starts anew, once.
            logger.AccountLost(account.Url, context.Authority.Specification.DirectoryUrl);
            await context.Journal.ForgetAsync(cancellationToken);
            account = await context.Authority.Accounts.RegisterAgainAsync(account, context.TermsAccepted, cancellationToken);
            return await ObtainAsync(context, account, cancellationToken);
        }
    }

    // No order is at stake yet: a host that stops does not wait for an authority that is slow or away.
    private static async Task<IAuthorityAccount> PrepareAsync(OrderContext context, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, context.Stopping);
        try
        {
            await CheckAuthorityAsync(context, either.Token);
            return await context.Authority.Accounts.OpenAsync(context.TermsAccepted, either.Token);
        }
        catch (AcmeRateLimitedException exception)
        {
            // No name was mentioned: whatever limit that is, it is the same for all of them.
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

        // The skew is that of the last answer, which may be an hour old: the clock may have been set since.
        await client.RefreshDirectoryAsync(cancellationToken);
        if (client.ClockSkew is { } still && still.Duration() > LargestClockSkew)
        {
            throw new ClockSkewException(still, context.Authority.Specification.DirectoryUrl);
        }
    }

    private async Task<CertificateRecord> ObtainAsync(OrderContext context, IAuthorityAccount account, CancellationToken cancellationToken)
    {
        var order = await LeftOrders.ResumeAsync(context, account, time.GetUtcNow(), logger, cancellationToken) ?? await PlaceAsync(context, account, cancellationToken);
        try
        {
            order = await DriveAsync(context, account, order, cancellationToken);
            return await DownloadAsync(context, account, order, cancellationToken);
        }
        catch (Exception exception) when (PendingOrders.IsLost(exception))
        {
            context.Journal.GiveUpOrder();
            throw;
        }
    }

    private async Task<Order> PlaceAsync(OrderContext context, IAuthorityAccount account, CancellationToken cancellationToken)
    {
        context.Stopping.ThrowIfCancellationRequested();
        await caa.CheckAsync(context, account, cancellationToken);
        await persist.CheckAsync(context, account, cancellationToken);
        var intent = PendingOrders.Intent(context, account.Url, time.GetUtcNow());
        await context.Journal.StoreIntentAsync(intent, cancellationToken);
        var order = await NewOrders.PlaceAsync(context, account, logger, cancellationToken);
        if (context.IsTaken(order.Url))
        {
            throw new OrderTakenException(order.Url);
        }

        logger.OrderPlaced(context.Specification.Id, order.Url);
        context.Journal.Reached(OrderStep.OrderPlaced);
        await context.Journal.StoreOrderUrlAsync(order.Url, order.Expires, cancellationToken);
        return order;
    }

    private async Task<Order> DriveAsync(OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        if (order.Status == OrderStatus.Pending)
        {
            await authorizations.RunAsync(context, account, order, cancellationToken);
            order = await account.WaitForOrderAsync(order.Url, status => status != OrderStatus.Pending, cancellationToken);
        }

        if (order.Status == OrderStatus.Ready)
        {
            context.Journal.Reached(OrderStep.OrderReady);
            context.Stopping.ThrowIfCancellationRequested();
            order = await FinalizeAsync(context, account, order, cancellationToken);
        }

        if (order.Status == OrderStatus.Processing)
        {
            order = await account.WaitForOrderAsync(order.Url, status => status != OrderStatus.Processing, cancellationToken);
        }

        return order.Status == OrderStatus.Valid && order.CertificateUrl is not null
            ? order
            : throw new OrderFailedException($"The authority ended the order {order.Url} as {order.Status}: {order.Error?.ToString() ?? "without a reason"}", order.Error);
    }

    private static async Task<Order> FinalizeAsync(OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        var pending = context.Journal.RequirePending();
        using var key = CertificateKeys.Read(pending.KeyAlgorithm, pending.PrivateKey);
        var request = CertificateRequestBuilder.Build(Identifiers.ToAcme(context.Specification), key);
        try
        {
            order = await account.FinalizeOrderAsync(order, request, cancellationToken);
        }
        catch (AcmeException exception) when (exception.RequestMayHaveBeenProcessed)
        {
            // The answer was lost, not the request: look before asking again.
            order = await account.GetOrderAsync(order.Url, cancellationToken);
            if (order.Status == OrderStatus.Ready)
            {
                order = await account.FinalizeOrderAsync(order, request, cancellationToken);
            }
        }

        context.Journal.Reached(OrderStep.Finalized);
        return order;
    }

    private async Task<CertificateRecord> DownloadAsync(OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        await context.Journal.StoreCertificateUrlAsync(order.CertificateUrl!, time.GetUtcNow(), cancellationToken);
        var authority = context.Authority.Specification;
        var chain = await account.DownloadCertificateAsync(order.CertificateUrl!, context.Specification.PreferredChain ?? authority.PreferredChain, cancellationToken);
        context.Journal.Reached(OrderStep.Downloaded);

        var pending = context.Journal.RequirePending();
        using var key = CertificateKeys.Read(pending.KeyAlgorithm, pending.PrivateKey);
        IssuedCertificateCheck.ThrowIfUnusable(chain.Certificates, key, pending.Names, IsChainExpected(context), time.GetUtcNow());
        return new CertificateRecord(chain.Certificates, pending.PrivateKey, PendingOrders.Metadata(pending, order.CertificateUrl, time.GetUtcNow(), jitter()));
    }

    private static async Task ReadDirectoryAsync(IAuthorityClient client, CancellationToken cancellationToken)
    {
        try
        {
            await client.GetDirectoryAsync(cancellationToken);
        }
        catch (AcmeException exception) when (exception.StatusCode is < HttpStatusCode.InternalServerError and not HttpStatusCode.TooManyRequests && exception is not AcmeMalformedAnswerException)
        {
            // No name is to blame for an address at which there is no directory.
            throw new AcmeMalformedAnswerException(exception.Message, exception) { StatusCode = exception.StatusCode, Problem = exception.Problem, Url = exception.Url };
        }
    }

    // A private authority may sign with its root, and send nothing beside the certificate.
    private static bool IsChainExpected(OrderContext context)
        => context.Authority.Specification.IsPublic
            || (context.Current is { Chain.Count: > 1 } current && current.Metadata.DirectoryUrl == context.Authority.Specification.DirectoryUrl);
}
