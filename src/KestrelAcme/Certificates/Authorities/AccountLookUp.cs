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
