using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Looks up an account by its key (RFC 8555 section 7.3.1), and by its URL if the first response does not say enough.</summary>
internal static class AccountLookUp
{
    /// <exception cref="AcmeException">The CA did not say.</exception>
    public static async Task<(AccountFinding Finding, IAuthorityAccount? Found, AcmeException? Refusal)> RunAsync(
        IAuthorityClient client, IAuthorityAccount suspect, AcmeException? answer, CancellationToken cancellationToken)
    {
        try
        {
            var found = await client.FindAccountAsync(suspect.Key, cancellationToken);

            // Some CAs find an account by its key whatever its status is, and do not return the status.
            var status = found.Url == suspect.Url && found.Status is AccountStatus.Valid or AccountStatus.Unknown
                ? (await suspect.ReadAsync(cancellationToken)).Status
                : found.Status;
            return (AccountEvidence.Judge(status), found, null);
        }
        catch (AcmeException exception) when (AccountEvidence.Judge(exception) is var finding and not AccountFinding.Unknown)
        {
            // If the CA supports no look-ups, its response to the order decides.
            var isUnknown = finding == AccountFinding.Valid && answer?.HasProblem(AcmeProblemTypes.AccountDoesNotExist) == true;
            return (isUnknown ? AccountFinding.Lost : finding, null, exception);
        }
    }
}

/// <summary>The result of looking up an account by its key.</summary>
internal enum AccountFinding
{
    /// <summary>The CA is unavailable, or asks to wait.</summary>
    Unknown,

    /// <summary>The account exists, or the CA says nothing against it.</summary>
    Valid,

    /// <summary>The CA has no account with this key: it lost its data, or the key was replaced.</summary>
    Lost,

    /// <summary>The key is revoked or refused, and must not be used again.</summary>
    KeyRevoked,

    /// <summary>The account is deactivated, or refused for another reason.</summary>
    Refused,
}
