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

/// <summary>Tells the authority to look at challenges that are answered, and waits for what it finds.</summary>
internal sealed class ChallengeValidation(
    OrderProgress progress, IssuanceSettings settings, TimeProvider time, ILogger<ChallengeValidation> logger)
{
    private static readonly TimeSpan ExplanationTime = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Posts every challenge and waits for every verdict, whatever becomes of one: while the authority looks at a name its answer stays, so
    /// that a bad name spoils no good one.
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
                // None is posted any more; the verdicts on those that were are still waited for.
                failure = ExceptionDispatchInfo.Capture(exception);
                break;
            }
        }

        var refused = await AwaitVerdictsAsync(context, account, posted, postedBefore: false, cancellationToken);
        (failure ?? refused)?.Throw();
    }

    /// <summary>Waits for every verdict, whatever becomes of one.</summary>
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
            }

            unknown?.Remove(challenge);
        }

        return first;
    }

    /// <returns>
    /// How long to wait for the verdict on challenges that an earlier run posted, before they are posted again; <see langword="null"/> when
    /// none did.
    /// </returns>
    private TimeSpan? PostedBefore(OrderContext context, Order order)
        => context.Writer.Pending is { PostedAt: { } at } pending && pending.OrderUrl == order.Url
            && at <= time.GetUtcNow() && at + settings.RepostAfter - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : null;

    /// <summary>
    /// Waits for the verdict on challenges that an earlier run posted, or was about to. Some authorities show them as pending while they
    /// look, and look once more for each post: an application that is started again and again would fail a validation each time.
    /// </summary>
    /// <returns>Those that nobody has looked at.</returns>
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
            // The earlier run did not come to post them, or the post was lost.
        }

        return left;
    }

    private async Task PostAsync(
        OrderContext context, IAuthorityAccount account, OpenChallenge challenge, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(
            OrderActivities.SubmitChallenge, challenge.Context.ChallengeType, challenge.Context.Identifier);

        // A challenge that an earlier run posted is being looked at already: a second post would say nothing new.
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
    /// Whether the authority validates a challenge although the post of it failed: an earlier post, whose answer was lost, or one of
    /// another instance has begun it, or the answer to this one was lost.
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
                // Some authorities show a challenge as pending while they look: only the outcome tells.
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
            // The post's own failure says more.
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
            // The authority's words must reach the operator, with or without ours.
            logger.FailureNotExplained(challenge.Context.ChallengeType, challenge.Context.Identifier, exception.Message);
            return null;
        }
    }
}
