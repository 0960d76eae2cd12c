using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Orders;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Proves control of every name of an order: all answers are put in place, then waited for together, then the authority is told to look.
/// </summary>
internal sealed class AuthorizationFlow(ChallengeHandlers handlers, ChallengeVerdicts verdicts, TimeProvider time, ILogger<AuthorizationFlow> logger)
{
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
            await verdicts.ObtainAsync(context, account, order, open, cancellationToken);
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
