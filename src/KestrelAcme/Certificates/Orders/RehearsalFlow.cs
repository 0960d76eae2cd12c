using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Orders;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Validates names at the CA's staging service after a failure, so that a misconfigured name cannot use up the CA's limit of failed
/// validations. Nothing is issued there.
/// </summary>
internal sealed class RehearsalFlow(
    AuthorizationFlow authorizations, AuthorityRegistry authorities, TimeProvider time, ILogger<RehearsalFlow> logger)
{
    /// <exception cref="OrderFailedException">The names were not validated: production would not have validated them either.</exception>
    public async Task<RehearsalOutcome> RunAsync(OrderContext context, CancellationToken cancellationToken)
    {
        var staging = authorities.Get(Twin(context.Authority.Specification));
        try
        {
            var directory = await staging.Client.GetDirectoryAsync(cancellationToken);
            if (Profile(context) is { } profile && !directory.Meta.Profiles.ContainsKey(profile))
            {
                return RehearsalOutcome.NothingProved;
            }

            return await ValidateAsync(context with { Authority = staging }, staging, cancellationToken);
        }
        catch (OrderFailedException exception) when (exception.Problem?.Contains(AcmeProblemTypes.Caa) == true)
        {
            // A CAA record may name the production account (RFC 8657): staging has another.
            return RehearsalOutcome.NothingProved;
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
            return RehearsalOutcome.Unavailable;
        }
    }

    private async Task<RehearsalOutcome> ValidateAsync(
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
            return RehearsalOutcome.NothingProved;
        }

        logger.RehearsalPassed(context.Specification.Id, staging.Specification.DirectoryUrl);
        return RehearsalOutcome.Passed;
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

    private static AuthoritySpecification Twin(AuthoritySpecification production) => production with
    {
        Id = $"{production.Id}-rehearsal",
        DisplayName = $"{production.DisplayName} (staging)",
        DirectoryUrl = production.StagingTwin ?? throw new InvalidOperationException($"{production.DisplayName} has no staging service."),
        StagingTwin = null,
        ExternalAccountBinding = null,
    };
}
