namespace KestrelAcme.Challenges;

/// <summary>A handler whose answers others can remove: it looks again once all answers of an order are visible.</summary>
internal interface IConfirmedChallengeHandler
{
    /// <summary>
    /// Looks whether the answer is still visible, and puts it in place again if it is not. Called after all answers of the order became
    /// visible.
    /// </summary>
    /// <exception cref="ChallengeException">The answer is gone and could not be put in place again.</exception>
    Task ConfirmAsync(ChallengeContext context, CancellationToken cancellationToken);
}
