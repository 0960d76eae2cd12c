using System.Runtime.ExceptionServices;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Challenges;
using KestrelAcme.Protocol.Orders;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Proves control of every name of an order: all answers are put in place, then waited for together, then the authority is told to look.
/// </summary>
internal sealed class AuthorizationFlow(ChallengeHandlers handlers, IssuanceSettings settings, TimeProvider time, ILogger<AuthorizationFlow> logger)
{
    private static readonly TimeSpan ExplanationTime = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CleanUpTime = TimeSpan.FromSeconds(30);

    /// <returns>How many challenges were answered and found valid; authorizations that were valid before are not counted.</returns>
    public async Task<int> RunAsync(OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        var chosen = new OpenChallenge?[order.AuthorizationUrls.Count];
        var answering = false;
        try
        {
            await PrepareAllAsync(context, account, order, chosen, cancellationToken);
            var open = chosen.OfType<OpenChallenge>().ToList();
            await Task.WhenAll(open.Select(c => c.Handler.WaitUntilVisibleAsync(c.Context, cancellationToken)));
            context.Journal.Reached(OrderStep.ChallengeVisible);

            answering = true;
            await AnswerAsync(context, account, order, open, cancellationToken);
            return open.Count;
        }
        finally
        {
            // Stopped while the authority looks: what is in the shared store or the DNS still answers it, and the next run cleans up.
            if (!(answering && context.Stopping.IsCancellationRequested && cancellationToken.IsCancellationRequested))
            {
                await CleanUpAsync([.. chosen.OfType<OpenChallenge>()]);
                context.Journal.Reached(OrderStep.ChallengeCleaned);
            }
        }
    }

    // What is chosen is noted before anything is done for it: all of it is cleaned up.
    private async Task PrepareAllAsync(OrderContext context, IAuthorityAccount account, Order order, OpenChallenge?[] chosen, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        await SeveralAtOnce.ForEachAsync(order.AuthorizationUrls, PrepareAsync, cancellationToken);

        async Task PrepareAsync(Uri url, int index)
        {
            var authorization = await account.GetAuthorizationAsync(url, cancellationToken);
            if (authorization.Status == AuthorizationStatus.Valid)
            {
                logger.AuthorizationAlreadyValid(authorization.Identifier.Value);
                return;
            }

            if (authorization.Status != AuthorizationStatus.Pending)
            {
                throw AuthorizationRefusal.Create(authorization, explanation: null, leftBehind: true);
            }

            var challenge = chosen[index] = handlers.Choose(authorization, context, account, directory);
            await challenge.Handler.PrepareAsync(challenge.Context, cancellationToken);
            logger.ChallengePrepared(challenge.Context.ChallengeType, challenge.Context.Identifier);
            context.Journal.Reached(OrderStep.ChallengePrepared);
        }
    }

    /// <summary>Posts every challenge and waits for every verdict, whatever becomes of one: while the authority looks at a name its answer stays, so that a bad name spoils no good one.</summary>
    private async Task AnswerAsync(OrderContext context, IAuthorityAccount account, Order order, List<OpenChallenge> open, CancellationToken cancellationToken)
    {
        if (PostedBefore(context, order) is { } again)
        {
            logger.VerdictAwaited(context.Specification.Id, order.Url);
            open = await AwaitEarlierAsync(context, account, open, again, cancellationToken);
        }

        if (open.Count > 0 && context.Journal.Pending is { } pending && pending.OrderUrl == order.Url)
        {
            await context.Journal.ChangeAsync(state => state with { PendingOrder = pending with { PostedAt = time.GetUtcNow() } }, cancellationToken);
        }

        var failures = new List<Exception>();
        var posted = new List<OpenChallenge>(open.Count);
        foreach (var challenge in open)
        {
            await TryAsync(failures, () => PostAsync(context, account, challenge, cancellationToken), cancellationToken);
            if (failures.Count > 0)
            {
                break;
            }

            posted.Add(challenge);
        }

        foreach (var challenge in posted)
        {
            await TryAsync(failures, () => AwaitVerdictAsync(context, account, challenge, postedBefore: false, cancellationToken), cancellationToken);
        }

        if (failures.Count > 0)
        {
            ExceptionDispatchInfo.Throw(failures[0]);
        }
    }

    /// <returns>How long to wait for the verdict on challenges that an earlier run posted, before they are posted again; <see langword="null"/> when none did.</returns>
    private TimeSpan? PostedBefore(OrderContext context, Order order)
        => context.Journal.Pending is { PostedAt: { } at } pending && pending.OrderUrl == order.Url
            && at <= time.GetUtcNow() && at + settings.RepostAfter - time.GetUtcNow() is { Ticks: > 0 } wait ? wait : null;

    /// <summary>
    /// Waits for the verdict on challenges that an earlier run posted, or was about to. Some authorities show them as pending while they look, and look once more for each post: an application
    /// that is started again and again would fail a validation each time.
    /// </summary>
    /// <returns>Those that nobody has looked at.</returns>
    private async Task<List<OpenChallenge>> AwaitEarlierAsync(OrderContext context, IAuthorityAccount account, List<OpenChallenge> open, TimeSpan wait, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(wait, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var left = new List<OpenChallenge>(open);
        var failures = new List<Exception>();
        try
        {
            foreach (var challenge in open)
            {
                await TryAsync(failures, () => AwaitVerdictAsync(context, account, challenge, postedBefore: true, both.Token), both.Token);
                left.Remove(challenge);
            }
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The earlier run did not come to post them, or the post was lost.
        }

        if (failures.Count > 0)
        {
            ExceptionDispatchInfo.Throw(failures[0]);
        }

        return left;
    }

    private static async Task TryAsync(List<Exception> failures, Func<Task> step, CancellationToken cancellationToken)
    {
        try
        {
            await step();
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            failures.Add(exception);
        }
    }

    private async Task PostAsync(OrderContext context, IAuthorityAccount account, OpenChallenge challenge, CancellationToken cancellationToken)
    {
        // A challenge that an earlier run posted is being looked at already: a second post would say nothing new.
        if (challenge.Status == ChallengeStatus.Pending)
        {
            context.Stopping.ThrowIfCancellationRequested();
            await account.AcceptChallengeAsync(challenge.Context.Url, cancellationToken);
            logger.ChallengePosted(challenge.Context.ChallengeType, challenge.Context.Identifier);
        }

        context.Journal.Reached(OrderStep.ChallengePosted);
    }

    private async Task AwaitVerdictAsync(OrderContext context, IAuthorityAccount account, OpenChallenge challenge, bool postedBefore, CancellationToken cancellationToken)
    {
        var authorization = await account.WaitForAuthorizationAsync(challenge.AuthorizationUrl, cancellationToken);
        if (authorization.Status != AuthorizationStatus.Valid)
        {
            throw AuthorizationRefusal.Create(authorization, await ExplainAsync(challenge), leftBehind: postedBefore);
        }

        logger.AuthorizationValid(authorization.Identifier.Value);
        context.Journal.Reached(OrderStep.AuthorizationValid);
    }

    private async Task<string?> ExplainAsync(OpenChallenge challenge)
    {
        using var limit = new CancellationTokenSource(ExplanationTime, time);
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

    private async Task CleanUpAsync(List<OpenChallenge> open)
    {
        using var limit = new CancellationTokenSource(CleanUpTime, time);
        var token = limit.Token;
        await SeveralAtOnce.ForEachAsync(open, (challenge, _) => CleanUpAsync(challenge, token), CancellationToken.None);
    }

    private async Task CleanUpAsync(OpenChallenge challenge, CancellationToken cancellationToken)
    {
        try
        {
            await challenge.Handler.CleanUpAsync(challenge.Context, cancellationToken);
        }
        catch (Exception exception)
        {
            // What is left behind is harmless and tidied up later; the order must not fail for it.
            logger.ChallengeNotCleaned(challenge.Context.ChallengeType, challenge.Context.Identifier, exception.Message);
        }
    }
}
