using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authority refuses us an account: no name is to blame, and no name gets anywhere until a person mends it.</summary>
internal sealed class AccountRefusedException(AcmeException refusal, bool wasBound) : Exception(refusal.Message, refusal)
{
    public AcmeProblem? Problem => refusal.Problem;

    /// <summary>Whether the request held an external account binding.</summary>
    public bool WasBound => wasBound;
}
