using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Looks an account up by its key (RFC 8555 section 7.3.1), and by its URL if the first answer does not tell enough.</summary>
internal static class AccountLookUp
{
    /// <exception cref="AcmeException">The authority did not say.</exception>
    public static async Task<(AccountFinding Finding, IAuthorityAccount? Found, AcmeException? Refusal)> RunAsync(
        IAuthorityClient client, IAuthorityAccount suspect, CancellationToken cancellationToken)
    {
        try
        {
            var found = await client.FindAccountAsync(suspect.Key, cancellationToken);

            // Some find an account by its key whatever its status is, and do not show that.
            var status = found.Url == suspect.Url && found.Status is AccountStatus.Valid or AccountStatus.Unknown ? (await suspect.ReadAsync(cancellationToken)).Status : found.Status;
            return (AccountEvidence.Judge(status), found, null);
        }
        catch (AcmeException exception) when (AccountEvidence.Judge(exception) is var finding and not AccountFinding.Unknown)
        {
            return (finding, null, exception);
        }
    }
}

/// <summary>What looking the account up by its key has shown.</summary>
internal enum AccountFinding
{
    /// <summary>The authority is in trouble, or asks to wait.</summary>
    Unknown,

    /// <summary>The account is there, or the authority says nothing against it.</summary>
    Valid,

    /// <summary>The key has no account: the authority lost its data, or the key was changed since.</summary>
    Lost,

    /// <summary>The key is revoked, or refused: it must not be used again.</summary>
    KeyRevoked,

    /// <summary>The account is deactivated, or refused for another reason.</summary>
    Refused,
}
