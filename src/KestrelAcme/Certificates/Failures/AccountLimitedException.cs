using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>The authority wants fewer requests of us, whatever the name.</summary>
internal sealed class AccountLimitedException(AcmeRateLimitedException limited) : Exception(limited.Message, limited)
{
    public AcmeRateLimitedException Limited { get; } = limited;
}
