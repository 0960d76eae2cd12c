using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Rehearses an order if the last failure requires it: validates the names at the CA's staging service, so that a misconfigured name cannot
/// use up the CA's limit of failed validations. Nothing is issued there.
/// </summary>
internal sealed class Rehearsal(
    AuthorizationFlow authorizations,
    AuthorityRegistry authorities,
    ICaaAccounts accounts,
    TimeProvider time,
    ILogger<Rehearsal> logger)
{
    // After that, attempts are a day apart and go to production, in case staging fails for reasons of its own.
    private const int MostRehearsals = 4;

    // Production waits no longer for a staging service that is down.
    private static readonly TimeSpan LongestOutage = TimeSpan.FromHours(1);

    /// <exception cref="OrderFailedException">The names were not validated at staging.</exception>
    /// <exception cref="RehearsalUnavailableException">Staging is down, for less than an hour.</exception>
    public async Task RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var writer = context.Writer;
        if (!writer.State.Rehearse
            || writer.State.Failure?.Count >= MostRehearsals
            || context.Authority.Specification.StagingTwin is null
            || writer.Pending?.OrderUrl is not null)
        {
            return;
        }

        if (await IsBoundAsync(context, cancellationToken))
        {
            // Staging has another account, and would refuse the name in any case.
            await writer.RehearsedAsync(rehearseAgain: false, downSince: null, cancellationToken);
            return;
        }

        var outcome = await RehearseAsync(context, cancellationToken);
        if (outcome != Outcome.Unavailable)
        {
            await writer.RehearsedAsync(rehearseAgain: false, downSince: null, cancellationToken);
            return;
        }

        var since = writer.State.RehearsalDownSince ?? time.GetUtcNow();
        await writer.RehearsedAsync(rehearseAgain: true, since, cancellationToken);
        if (time.GetUtcNow() - since < LongestOutage)
        {
            throw new RehearsalUnavailableException();
        }
    }

    private async Task<bool> IsBoundAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        return await accounts.AreNamedAsync(CaaStep.Subjects(context), directory.Meta.CaaIdentities, cancellationToken);
    }

    /// <exception cref="OrderFailedException">The names were not validated: production would not have validated them either.</exception>
    private async Task<Outcome> RehearseAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var staging = authorities.Get(context.Authority.Specification.Twin());
        try
        {
            var directory = await staging.Client.GetDirectoryAsync(cancellationToken);
            if (Profile(context) is { } profile && !directory.Meta.Profiles.ContainsKey(profile))
            {
                return Outcome.NothingProved;
            }

            return await ValidateAsync(context with { Authority = staging }, staging, cancellationToken);
        }
        catch (OrderFailedException exception) when (exception.Problem?.Contains(AcmeProblemTypes.Caa) == true)
        {
            // A CAA record may name the production account (RFC 8657): staging has another.
            return Outcome.NothingProved;
        }
        catch (OrderFailedException exception)
        {
            var rehearsed = $"Rehearsed at {staging.Specification.DirectoryUrl.Host}: {exception.Message}";
            throw new OrderFailedException(rehearsed, exception.Problem, exception.ChallengeType) { IsAddress = exception.IsAddress };
        }
        catch (Exception exception) when (exception is AcmeException or AccountBlockedException or OrderForbiddenException)
        {
            // A refusal of the staging account says nothing about the production account.
            logger.RehearsalUnavailable(context.Specification.Id, staging.Specification.DirectoryUrl, exception.Message);
            return Outcome.Unavailable;
        }
    }

    private async Task<Outcome> ValidateAsync(
        OrderContext context, CertificateAuthority staging, CancellationToken cancellationToken)
    {
        context.Stopping.ThrowIfCancellationRequested();
        var account = await staging.Accounts.OpenAsync(context.TermsAccepted, cancellationToken);
        var request = new NewOrderRequest { Identifiers = Identifiers.ToAcme(context.Specification), Profile = Profile(context) };
        var trial = new AccountTrial(context, time);
        (account, var order) = await PlaceAsync(trial, account, request, cancellationToken);
        await trial.AcceptedAsync(account, cancellationToken);

        // If the authorizations are still valid from before, the CA validated nothing: that proves nothing.
        if (order.Status != OrderStatus.Pending || await authorizations.RunAsync(context, account, order, cancellationToken) == 0)
        {
            return Outcome.NothingProved;
        }

        logger.RehearsalPassed(context.Specification.Id, staging.Specification.DirectoryUrl);
        return Outcome.Passed;
    }

    private static async Task<(IAuthorityAccount Account, Order Order)> PlaceAsync(
        AccountTrial trial, IAuthorityAccount account, NewOrderRequest request, CancellationToken cancellationToken)
    {
        await trial.EnterAsync(cancellationToken);
        try
        {
            return (account, await account.CreateOrderAsync(request, cancellationToken));
        }
        catch (AcmeException exception) when (trial.MayBeGuilty(exception))
        {
            // Staging services delete their accounts now and then.
            if (await trial.FindSuccessorAsync(account, exception, cancellationToken) is not { } successor)
            {
                throw;
            }

            return (successor, await successor.CreateOrderAsync(request, cancellationToken));
        }
    }

    private static string? Profile(OrderContext context) => context.Specification.Profile ?? context.Authority.Specification.Profile;

    /// <summary>The outcome of a rehearsal that did not fail.</summary>
    private enum Outcome
    {
        /// <summary>A challenge went from pending to valid.</summary>
        Passed,

        /// <summary>The CA validated nothing, or staging differs from production for this certificate.</summary>
        NothingProved,

        /// <summary>The staging service itself fails.</summary>
        Unavailable,
    }
}
