using System.Net;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Decides what responses of a CA say about the account. Pure.</summary>
internal static class AccountEvidence
{
    /// <summary>Whether a response may be the account's fault. Then the account is looked up before any name is blamed.</summary>
    /// <param name="answer">The response.</param>
    /// <param name="isNewOrder">Whether it is the response to a new order, before any name was validated.</param>
    public static bool MayBlameAccount(AcmeException answer, bool isNewOrder)
        => IsRefusal(answer) && (answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist) || Is(answer, AcmeProblemTypes.Unauthorized)
            || (isNewOrder && (IsCertain(answer) || Is(answer, AcmeProblemTypes.Malformed) || Is(answer, AcmeProblemTypes.BadPublicKey))));

    /// <summary>
    /// Whether a response to any request may mean that the account has another key by now. Only the store tells: CAs do not say more than
    /// that the signature is wrong.
    /// </summary>
    public static bool MayMeanAnotherKey(AcmeException answer)
        => IsRefusal(answer) && (Is(answer, AcmeProblemTypes.Malformed) || Is(answer, AcmeProblemTypes.BadSignatureAlgorithm));

    /// <summary>Whether the response to a new order is certainly the account's fault, so that looking it up would add nothing.</summary>
    public static bool IsCertain(AcmeException answer)
        => Is(answer, AcmeProblemTypes.UserActionRequired)
            || Is(answer, AcmeProblemTypes.ExternalAccountRequired) || Is(answer, AcmeProblemTypes.BadSignatureAlgorithm)
            || Is(answer, AcmeProblemTypes.InvalidContact) || Is(answer, AcmeProblemTypes.UnsupportedContact);

    /// <summary>Whether a response is a refusal, and not a temporary failure of the CA or the network.</summary>
    public static bool IsRefusal(AcmeException answer)
        => answer is { Problem: not null, StatusCode: < HttpStatusCode.InternalServerError } and not AcmeRateLimitedException
            && !answer.HasProblem(AcmeProblemTypes.BadNonce);

    /// <summary>
    /// Interprets the response to a look-up by key, or to a request for the account itself. A server that does not support the request says
    /// nothing against the account.
    /// </summary>
    public static AccountFinding Judge(AcmeException answer)
        => !IsRefusal(answer) ? AccountFinding.Unknown
            : answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist) ? AccountFinding.Lost
            : Is(answer, AcmeProblemTypes.BadPublicKey) ? AccountFinding.KeyRevoked
            : Is(answer, AcmeProblemTypes.Unauthorized) && SaysRevoked(answer.Problem!.Detail) ? AccountFinding.KeyRevoked
            : Is(answer, AcmeProblemTypes.Unauthorized) || Is(answer, AcmeProblemTypes.UserActionRequired) ? AccountFinding.Refused
            : AccountFinding.Valid;

    /// <summary>Interprets the status of the account.</summary>
    public static AccountFinding Judge(AccountStatus status) => status switch
    {
        AccountStatus.Revoked => AccountFinding.KeyRevoked,
        AccountStatus.Deactivated => AccountFinding.Refused,
        _ => AccountFinding.Valid,
    };

    // RFC 8555 has no problem type for a revoked key, and CAs return "unauthorized" for both cases.
    private static bool SaysRevoked(string detail) => detail.Contains("revoked", StringComparison.OrdinalIgnoreCase);

    private static bool Is(AcmeException answer, string type) => answer.Problem?.Is(type) == true;
}

/// <summary>An account that may be the cause of a response.</summary>
/// <param name="Account">The account.</param>
/// <param name="Answer">The response.</param>
/// <param name="OpenedAt">The start of the attempt. What was found out since need not be found out again.</param>
/// <param name="MayRegister">Whether another account may be registered, which each attempt does at most once.</param>
internal sealed record AccountSuspicion(IAuthorityAccount Account, AcmeException Answer, DateTimeOffset OpenedAt, bool MayRegister)
{
    /// <summary>Whether nothing speaks against the account, unless its key was replaced meanwhile.</summary>
    public bool IsOfKeyOnly { get; init; }
}

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
