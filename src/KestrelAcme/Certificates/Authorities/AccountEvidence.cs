using System.Net;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>Tells what an authority's answers say of the account. Pure.</summary>
internal static class AccountEvidence
{
    /// <summary>Whether an answer may be the account's fault: then the account is looked up before any name is blamed.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="isNewOrder">Whether it answers a new order, where no name was validated yet.</param>
    public static bool MayBlameAccount(AcmeException answer, bool isNewOrder)
        => IsRefusal(answer) && (answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist) || Is(answer, AcmeProblemTypes.Unauthorized)
            || (isNewOrder && (IsCertain(answer) || Is(answer, AcmeProblemTypes.Malformed) || Is(answer, AcmeProblemTypes.BadPublicKey))));

    /// <summary>Whether an answer to a new order is the account's fault, and looking it up would add nothing.</summary>
    public static bool IsCertain(AcmeException answer)
        => Is(answer, AcmeProblemTypes.UserActionRequired) || Is(answer, AcmeProblemTypes.ExternalAccountRequired) || Is(answer, AcmeProblemTypes.BadSignatureAlgorithm)
            || Is(answer, AcmeProblemTypes.InvalidContact) || Is(answer, AcmeProblemTypes.UnsupportedContact);

    /// <summary>Whether an answer is a refusal, and not a passing trouble of the authority or of the way to it.</summary>
    public static bool IsRefusal(AcmeException answer)
        => answer is { Problem: not null, StatusCode: < HttpStatusCode.InternalServerError } and not AcmeRateLimitedException
            && !answer.HasProblem(AcmeProblemTypes.BadNonce);

    /// <summary>What the answer to a look-up by key shows, or to a request for the account itself. A server that does not understand the question says nothing against the account.</summary>
    public static AccountFinding Judge(AcmeException answer)
        => !IsRefusal(answer) ? AccountFinding.Unknown
            : answer.HasProblem(AcmeProblemTypes.AccountDoesNotExist) ? AccountFinding.Lost
            : Is(answer, AcmeProblemTypes.BadPublicKey) || (Is(answer, AcmeProblemTypes.Unauthorized) && SaysRevoked(answer.Problem!.Detail)) ? AccountFinding.KeyRevoked
            : Is(answer, AcmeProblemTypes.Unauthorized) || Is(answer, AcmeProblemTypes.UserActionRequired) ? AccountFinding.Refused
            : AccountFinding.Valid;

    /// <summary>What the status of the account shows.</summary>
    public static AccountFinding Judge(AccountStatus status) => status switch
    {
        AccountStatus.Revoked => AccountFinding.KeyRevoked,
        AccountStatus.Deactivated => AccountFinding.Refused,
        _ => AccountFinding.Valid,
    };

    // RFC 8555 has no problem type for it, and authorities answer "unauthorized" to both.
    private static bool SaysRevoked(string detail) => detail.Contains("revoked", StringComparison.OrdinalIgnoreCase);

    private static bool Is(AcmeException answer, string type) => answer.Problem?.Is(type) == true;
}
