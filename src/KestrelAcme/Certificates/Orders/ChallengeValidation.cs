using System.Runtime.ExceptionServices;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;
using HttpStatusCode = System.Net.HttpStatusCode;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Submits prepared challenges for validation, and waits for the results.</summary>
internal sealed class ChallengeValidation(
    OrderProgress progress, IssuanceSettings settings, TimeProvider time, ILogger<ChallengeValidation> logger)
{
    private static readonly TimeSpan ExplanationTime = TimeSpan.FromSeconds(5);

    /// <summary>Whether a CA told no result: if it cannot be reached, fails, or asks to wait, it may validate all the same.</summary>
    public static bool IsWithoutResult(Exception exception) => exception is AcmeException failure && !StoredOrders.IsRefusal(failure);

    /// <summary>
    /// Submits every challenge and waits for every result, even if one fails: the response to a name stays in place while the CA validates
    /// it, so that a bad name does not spoil the others.
    /// </summary>
    public async Task ObtainAsync(
        OrderContext context, IAuthorityAccount account, Order order, List<OpenChallenge> open, CancellationToken cancellationToken)
    {
        if (PostedBefore(context, order) is { } again)
        {
            logger.VerdictAwaited(context.Specification.Id, order.Url);
            open = await AwaitEarlierAsync(context, account, open, again, cancellationToken);
        }

        if (open.Count > 0 && context.Writer.Pending is { } pending && pending.OrderUrl == order.Url)
        {
            await context.Writer.ChangeAsync(
                state => state with { StoredOrder = pending with { PostedAt = time.GetUtcNow() } }, cancellationToken);
        }

        var posted = new List<OpenChallenge>(open.Count);
        ExceptionDispatchInfo? failure = null;
        foreach (var challenge in open)
        {
            try
            {
                await PostAsync(context, account, challenge, cancellationToken);
                posted.Add(challenge);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                // No further challenge is submitted; the results of those that were are still awaited.
                failure = ExceptionDispatchInfo.Capture(exception);
                break;
            }
        }

        var refused = await AwaitVerdictsAsync(context, account, posted, postedBefore: false, cancellationToken);
        (failure ?? refused)?.Throw();
    }

    /// <summary>Waits for every result, even if one fails, unless the CA tells none.</summary>
    /// <returns>The first failure; <see langword="null"/> if all are valid.</returns>
    private async Task<ExceptionDispatchInfo?> AwaitVerdictsAsync(
        OrderContext context,
        IAuthorityAccount account,
        IReadOnlyList<OpenChallenge> posted,
        bool postedBefore,
        CancellationToken cancellationToken,
        List<OpenChallenge>? unknown = null)
    {
        ExceptionDispatchInfo? first = null;
        foreach (var challenge in posted)
        {
            try
            {
                await AwaitVerdictAsync(context, account, challenge, postedBefore, cancellationToken);
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                first ??= ExceptionDispatchInfo.Capture(exception);
                if (IsWithoutResult(exception))
                {
                    // The responses stay, and the next attempt goes on. With many names, waiting for each would take longer than an order
                    // may, and look like a failure of this machine.
                    break;
                }
            }

            unknown?.Remove(challenge);
        }

        return first;
    }

    /// <returns>
    /// How long to wait for the results of challenges that an earlier run submitted before they are submitted again; <see langword="null"/>
    /// if none were.
    /// </returns>
    private TimeSpan? PostedBefore(OrderContext context, Order order)
        => context.Writer.Pending is { PostedAt: { } at } pending && pending.OrderUrl == order.Url
            && at <= time.GetUtcNow() && at + settings.RepostAfter - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : null;

    /// <summary>
    /// Waits for the results of challenges that an earlier run submitted or was about to. Some CAs show a challenge as pending while they
    /// validate, and validate once more for each post: an app that restarts again and again would fail a validation each time.
    /// </summary>
    /// <returns>The challenges that the CA has not validated.</returns>
    private async Task<List<OpenChallenge>> AwaitEarlierAsync(
        OrderContext context, IAuthorityAccount account, List<OpenChallenge> open, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var limit = new TimeLimit(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var left = new List<OpenChallenge>(open);
        try
        {
            var failure = await AwaitVerdictsAsync(context, account, open, postedBefore: true, both.Token, left);
            failure?.Throw();
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The earlier run ended before it submitted them, or the post was lost.
        }

        return left;
    }

    private async Task PostAsync(
        OrderContext context, IAuthorityAccount account, OpenChallenge challenge, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(
            OrderActivities.SubmitChallenge, challenge.Context.ChallengeType, challenge.Context.Identifier);

        // The CA is already validating a challenge that an earlier run submitted: a second post would change nothing.
        if (challenge.Status == ChallengeStatus.Pending)
        {
            context.Stopping.ThrowIfCancellationRequested();
            try
            {
                await account.AcceptChallengeAsync(challenge.Context.Url, cancellationToken);
                logger.ChallengePosted(challenge.Context.ChallengeType, challenge.Context.Identifier);
            }
            catch (AcmeException exception)
            {
                if (!await IsUnderWayAsync(account, challenge, exception, cancellationToken))
                {
                    throw;
                }

                logger.ChallengeUnderWay(challenge.Context.ChallengeType, challenge.Context.Identifier, exception.Message);
            }
        }

        step.Done();
        progress.ChallengePosted(context.Certificate);
    }

    /// <summary>
    /// Whether the CA validates a challenge although the post of it failed: an earlier post whose response was lost or a post of another
    /// instance has started it, or the response to this one was lost.
    /// </summary>
    private static async Task<bool> IsUnderWayAsync(
        IAuthorityAccount account, OpenChallenge challenge, AcmeException failure, CancellationToken cancellationToken)
    {
        if (failure.StatusCode == HttpStatusCode.Conflict)
        {
            return true;
        }

        try
        {
            if (failure is AcmeUnreachableException { IsTlsFailure: false })
            {
                // Some CAs show a challenge as pending while they validate: only the result tells.
                var outcome = await account.WaitForAuthorizationAsync(challenge.AuthorizationUrl, cancellationToken);
                return outcome.Status != AuthorizationStatus.Pending;
            }

            if (failure.Problem is null || !StoredOrders.IsRefusal(failure))
            {
                return false;
            }

            var authorization = await account.GetAuthorizationAsync(challenge.AuthorizationUrl, cancellationToken);
            var posted = authorization.Challenges.FirstOrDefault(c => c.Url == challenge.Context.Url);
            return authorization.Status is not (AuthorizationStatus.Pending or AuthorizationStatus.Unknown)
                || posted?.Status is ChallengeStatus.Processing or ChallengeStatus.Valid or ChallengeStatus.Invalid;
        }
        catch (AcmeException)
        {
            // The failure of the post says more.
            return false;
        }
    }

    private async Task AwaitVerdictAsync(
        OrderContext context, IAuthorityAccount account, OpenChallenge challenge, bool postedBefore, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(
            OrderActivities.PollAuthorization, challenge.Context.ChallengeType, challenge.Context.Identifier);
        var authorization = await account.WaitForAuthorizationAsync(challenge.AuthorizationUrl, cancellationToken);
        if (authorization.Status != AuthorizationStatus.Valid)
        {
            throw AuthorizationFailure.Create(authorization, await ExplainAsync(challenge), leftBehind: postedBefore);
        }

        logger.AuthorizationValid(authorization.Identifier.Value);
        step.Done();
        progress.AuthorizationValid(context.Certificate);
    }

    private async Task<string?> ExplainAsync(OpenChallenge challenge)
    {
        using var limit = new TimeLimit(ExplanationTime, time);
        try
        {
            return await challenge.Handler.ExplainFailureAsync(challenge.Context, limit.Token);
        }
        catch (Exception exception)
        {
            // The CA's explanation must reach the operator, even without ours.
            logger.FailureNotExplained(challenge.Context.ChallengeType, challenge.Context.Identifier, exception.Message);
            return null;
        }
    }
}
