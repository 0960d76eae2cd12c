using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>dns-01, RFC 8555 section 8.4.</summary>
internal sealed class Dns01Validator(TxtRecords records) : IChallengeValidator
{
    public string Type => ChallengeTypes.Dns01;

    public Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
        => DnsDigestCheck.RunAsync(records, $"_acme-challenge.{target.Identifier.Value}", target, cancellationToken);
}
