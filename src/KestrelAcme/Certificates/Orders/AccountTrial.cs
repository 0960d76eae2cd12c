using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Tells apart, during one attempt, failures of the account, of the profile, and of the names. A CA that refuses a new order has validated
/// nothing yet.
/// </summary>
internal sealed class AccountTrial(OrderContext context, TimeProvider time)
{
    private readonly DateTimeOffset _began = time.GetUtcNow();
    private bool _isPlacing;
    private bool _isReplaced;

    /// <summary>The profile that is ordered.</summary>
    public string? Profile { get; } = AuthorityChoice.ProfileOf(context.Specification, context.Authority.Specification);

    private CertificateAuthority Authority => context.Authority;

    /// <summary>Whether the account may be the cause of a response.</summary>
    public bool MayBeGuilty(AcmeException answer) => AccountEvidence.MayBlameAccount(answer, _isPlacing);

    /// <summary>Whether another account, or another key of the account, may be the way on.</summary>
    public bool MayHaveSuccessor(AcmeException answer) => MayBeGuilty(answer) || AccountEvidence.MayMeanAnotherKey(answer);

    /// <summary>A new order is about to be placed.</summary>
    /// <exception cref="AccountBlockedException">The authority refuses the profile.</exception>
    public async Task EnterAsync(CancellationToken cancellationToken)
    {
        await Authority.Blocks.EnterAsync(Profile ?? "", cancellationToken);
        _isPlacing = true;
    }

    /// <summary>A new order was accepted.</summary>
    public Task AcceptedAsync(IAuthorityAccount account, CancellationToken cancellationToken)
    {
        _isPlacing = false;
        if (Authority.Health.Accepted(time.GetUtcNow()))
        {
            Authority.Blocks.TellLifted();
        }

        return Authority.Blocks.LiftAsync(Profile, account.Url, cancellationToken);
    }

    /// <summary>Whether nothing is wrong with the account.</summary>
    /// <exception cref="AccountBlockedException">The authority refuses the account.</exception>
    public async Task<bool> IsSoundAsync(IAuthorityAccount account, AcmeException answer, CancellationToken cancellationToken)
        => await ExamineAsync(account, answer, cancellationToken) is null;

    /// <summary>
    /// Returns the account that replaces a lost one, or one whose key is revoked, or the same with its new key; <see langword="null"/> if
    /// the account is in order.
    /// </summary>
    /// <exception cref="AccountBlockedException">The authority refuses the account.</exception>
    public async Task<IAuthorityAccount?> FindSuccessorAsync(
        IAuthorityAccount account, AcmeException answer, CancellationToken cancellationToken)
    {
        var successor = await ExamineAsync(account, answer, cancellationToken);
        _isReplaced |= successor is not null;
        _isPlacing = false;
        return successor;
    }

    /// <summary>
    /// Finds out why a new order was refused with "unauthorized" or "invalidProfile": the account, the profile, or the names.
    /// </summary>
    /// <returns>The failure of this attempt; <see langword="null"/> if the account was the cause and another one replaces it.</returns>
    public async Task<Exception?> ConvictAsync(
        IAuthorityAccount account, AcmeException answer, IEnumerable<string> offeredProfiles, CancellationToken cancellationToken)
    {
        var isProfile = answer.Problem?.Is(AcmeProblemTypes.InvalidProfile) == true;
        if (!isProfile && !await IsSoundAsync(account, answer, cancellationToken))
        {
            return null;
        }

        if (!isProfile && !SaysProfile(answer) && !Authority.Health.Forbidden(context.Specification.Id, time.GetUtcNow()))
        {
            return new OrderForbiddenException(answer);
        }

        var facts = new RefusalFacts(answer.Problem?.Type, AtOrder: true, answer) { Since = _began };
        return isProfile || Profile is not null
            ? await Authority.Blocks.BlockAsync(
                Profile ?? "",
                AccountAdvice.OfProfile(answer.Message, Profile ?? "", Authority.Specification, offeredProfiles),
                facts,
                cancellationToken)
            : await Authority.Blocks.BlockAsync(
                null,
                AccountAdvice.OfAccount(answer.Message, facts.ProblemType, Authority.Specification, isRegistered: true),
                facts,
                cancellationToken);
    }

    private bool SaysProfile(AcmeException answer)
        => Profile is not null && answer.Problem?.Detail.Contains("profile", StringComparison.OrdinalIgnoreCase) == true;

    private async Task<IAuthorityAccount?> ExamineAsync(
        IAuthorityAccount account, AcmeException answer, CancellationToken cancellationToken)
    {
        try
        {
            var suspicion = new AccountSuspicion(account, answer, _began, MayRegister: !_isReplaced)
            {
                IsOfKeyOnly = !MayBeGuilty(answer),
            };
            return await Authority.Accounts.ExamineAsync(suspicion, context.TermsAccepted, cancellationToken);
        }
        catch (AcmeRateLimitedException exception)
        {
            // The request named no names: the limit is the same for all of them.
            throw new AccountLimitedException(exception);
        }
    }
}
