using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;
using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Challenges;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Proves control of every name of an order: prepares all responses, waits until all are visible, and then submits the challenges.
/// </summary>
internal sealed class AuthorizationFlow(
    ChallengeHandlers handlers,
    TlsAlpnNameLocks turns,
    ChallengeFeed fleet,
    ChallengeValidation verdicts,
    TimeProvider time,
    ILogger<AuthorizationFlow> logger)
{
    private static readonly TimeSpan CleanUpTime = TimeSpan.FromSeconds(30);

    // Longer than a CA takes to validate what was submitted, and what is submitted again after a minute by the run that resumes the order.
    private static readonly TimeSpan ValidationTime = TimeSpan.FromMinutes(3);

    /// <returns>
    /// The number of challenges that were submitted and found valid. Authorizations that were valid before are not counted.
    /// </returns>
    public async Task<int> RunAsync(OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        var open = await ChooseAllAsync(context, account, order, cancellationToken);
        await using var turn = await turns.TakeAsync(open, context.Stopping, cancellationToken);
        if (turn.WasAwaited)
        {
            // The order that went first may have got the same authorizations, and they are valid by now.
            open = await ChooseAllAsync(context, account, order, cancellationToken);
        }

        var begun = new ConcurrentQueue<OpenChallenge>();
        var (answering, left) = (false, false);
        try
        {
            await PrepareAllAsync(open, begun, cancellationToken);
            await AwaitVisibilityAsync(open, isFirst: context.Current is null, cancellationToken);
            answering = true;
            await verdicts.ObtainAsync(context, account, order, open, cancellationToken);
            return open.Count;
        }
        catch (Exception exception)
            when (answering
                && (cancellationToken.IsCancellationRequested || exception is LeaseLostException
                    || ChallengeValidation.IsWithoutResult(exception)))
        {
            // The CA validates. Without the responses the validation would fail, and with it the order, which is about to be resumed here
            // or by another instance.
            left = true;
            throw;
        }
        finally
        {
            if (!left)
            {
                await CleanUpAsync([.. begun]);
            }
            else if (!context.Stopping.IsCancellationRequested)
            {
                _ = CleanUpLaterAsync([.. begun], context.Stopping);
            }

            // If the host stops, the response in the shared store or in DNS stays, and the next run cleans up.
        }
    }

    /// <returns>The challenges of the authorizations that are not valid yet.</returns>
    private async Task<List<OpenChallenge>> ChooseAllAsync(
        OrderContext context, IAuthorityAccount account, Order order, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        var ordered = OrderedNames.Of(context.Specification);
        IReadOnlyList<Uri> urls = [.. order.AuthorizationUrls.Distinct()];
        ordered.ThrowIfTooMany(urls.Count, order.Url);
        var chosen = new OpenChallenge?[urls.Count];
        await BoundedParallel.ForEachAsync(urls, ChooseAsync, cancellationToken);
        return [.. chosen.OfType<OpenChallenge>()];

        async Task ChooseAsync(Uri url, int index)
        {
            var authorization = await account.GetAuthorizationAsync(url, cancellationToken);
            if (authorization.Status == AuthorizationStatus.Valid)
            {
                logger.AuthorizationAlreadyValid(authorization.Identifier.Value);
                return;
            }

            if (authorization.Status == AuthorizationStatus.Unknown)
            {
                // No validation failed: a malformed response is not the fault of the name.
                throw new AcmeMalformedResponseException(
                    $"The authorization {url} for {authorization.Identifier.Value} has an unknown status.");
            }

            if (authorization.Status != AuthorizationStatus.Pending)
            {
                throw AuthorizationFailure.Create(authorization, explanation: null, leftBehind: true);
            }

            var challenge = handlers.Choose(ordered.Require(authorization), context, account, directory);
            chosen[index] = challenge with { Context = challenge.Context with { OrderUrl = order.Url } };
        }
    }

    // A challenge is noted before anything is done for it, so that all of it is cleaned up, and nothing that belongs to another order.
    private Task PrepareAllAsync(List<OpenChallenge> open, ConcurrentQueue<OpenChallenge> begun, CancellationToken cancellationToken)
    {
        return BoundedParallel.ForEachAsync(open, PrepareAsync, cancellationToken);

        async Task PrepareAsync(OpenChallenge challenge, int index)
        {
            using var step = OrderActivities.StartStep(
                OrderActivities.PrepareChallenge, challenge.Context.ChallengeType, challenge.Context.Identifier);
            begun.Enqueue(challenge);
            await challenge.Handler.PrepareAsync(challenge.Context, cancellationToken);
            logger.ChallengePrepared(challenge.Context.ChallengeType, challenge.Context.Identifier);
            step.Done();
        }
    }

    private async Task AwaitVisibilityAsync(List<OpenChallenge> open, bool isFirst, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.AwaitVisibility);
        await fleet.AwaitAcknowledgmentAsync(open.Select(c => c.Context), isFirst, cancellationToken);
        await Task.WhenAll(open.Select(c => c.Handler.WaitUntilVisibleAsync(c.Context, cancellationToken)));
        await Task.WhenAll(open.Select(
            c => c.Handler is IConfirmedChallengeHandler confirmed
                ? confirmed.ConfirmAsync(c.Context, cancellationToken)
                : Task.CompletedTask));
        step.Done();
    }

    // Handlers count how often a challenge was prepared: the responses stay for longer if the order is resumed here meanwhile.
    private async Task CleanUpLaterAsync(List<OpenChallenge> open, CancellationToken stopping)
    {
        await Task.Delay(ValidationTime, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!stopping.IsCancellationRequested)
        {
            await CleanUpAsync(open);
        }
    }

    private async Task CleanUpAsync(List<OpenChallenge> open)
    {
        using var step = OrderActivities.StartStep(OrderActivities.CleanUpChallenges);
        using var limit = new TimeLimit(CleanUpTime, time);
        var token = limit.Token;
        await BoundedParallel.ForEachAsync(open, (challenge, _) => CleanUpAsync(challenge, token), CancellationToken.None);
        step.Done();
    }

    private async Task CleanUpAsync(OpenChallenge challenge, CancellationToken cancellationToken)
    {
        try
        {
            await challenge.Handler.CleanUpAsync(challenge.Context, cancellationToken);
        }
        catch (Exception exception)
        {
            // A leftover response is harmless and removed later; the order must not fail for it.
            logger.ChallengeNotCleaned(challenge.Context.ChallengeType, challenge.Context.Identifier, exception.Message);
        }
    }
}

/// <summary>Takes a step for each of many names, a few at a time.</summary>
internal static class BoundedParallel
{
    /// <summary>The number of steps at once: enough for the slow APIs of DNS providers, few enough for their limits.</summary>
    public const int Maximum = 8;

    /// <summary>
    /// Takes the step for each. After a failure no further step is started, those under way are awaited, because a clean-up must not run
    /// beside them, and the first failure in the order of the list is thrown.
    /// </summary>
    public static async Task ForEachAsync<T>(IReadOnlyList<T> items, Func<T, int, Task> step, CancellationToken cancellationToken)
    {
        using var slots = new SemaphoreSlim(Maximum);
        var failures = new Exception?[items.Count];
        var failed = false;
        await Task.WhenAll(items.Select(TakeAsync));
        cancellationToken.ThrowIfCancellationRequested();
        if (Array.Find(failures, failure => failure is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        async Task TakeAsync(T item, int index)
        {
            await slots.WaitAsync(CancellationToken.None);
            try
            {
                if (!Volatile.Read(ref failed) && !cancellationToken.IsCancellationRequested)
                {
                    await step(item, index);
                }
            }
            catch (Exception exception)
            {
                failures[index] = exception;
                Volatile.Write(ref failed, true);
            }
            finally
            {
                slots.Release();
            }
        }
    }
}
