using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Looks whether a challenge is fulfilled: one implementation per challenge type.</summary>
internal interface IChallengeValidator
{
    string Type { get; }

    /// <summary>Null when it is fulfilled, else why not.</summary>
    Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken);
}
