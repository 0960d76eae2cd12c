using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Failures;

/// <summary>The account is valid and may order, but not these names: the authority answers a new order with "unauthorized", which no validation precedes.</summary>
internal sealed class OrderForbiddenException(AcmeException refusal) : Exception(
    $"{refusal.Message} The account is valid, and orders for other names were accepted: check at the authority which names this account may order.", refusal)
{
    public AcmeException Refusal => refusal;
}
