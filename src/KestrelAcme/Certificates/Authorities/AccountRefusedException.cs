using System.Net;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authority refuses us an account: no name is to blame, and no name gets anywhere until a person mends it.</summary>
internal sealed class AccountRefusedException(AcmeException refusal, bool wasBound) : Exception(refusal.Message, refusal)
{
    public AcmeProblem? Problem => refusal.Problem;

    /// <summary>Whether the request held an external account binding.</summary>
    public bool WasBound => wasBound;

    /// <summary>Whether an answer to a request for an account is a refusal, and not a passing trouble of the authority or of the way to it.</summary>
    public static bool IsRefusal(AcmeException answer)
        => answer is { Problem: not null, StatusCode: < HttpStatusCode.InternalServerError } and not AcmeRateLimitedException
            && !answer.HasProblem(AcmeProblemTypes.BadNonce);
}
