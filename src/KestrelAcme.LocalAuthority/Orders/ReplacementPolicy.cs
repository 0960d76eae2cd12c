using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Checks whether an order may replace a certificate (RFC 9773 section 5).</summary>
internal sealed class ReplacementPolicy(CertificateLedger certificates, OrderBook orders, AuthorityFaults faults)
{
    public void Check(string certId, string accountId, IReadOnlyCollection<Identifier> identifiers)
    {
        if (faults.RefuseReplaces is { } problem)
        {
            throw Problem.Of(problem.Type, problem.Status, problem.Detail).ToException();
        }

        var certificate = certificates.FindByCertId(certId)
            ?? throw Problem.Malformed($"'replaces' is not a certificate of this CA: '{certId}'.", 404).ToException();
        if (certificate.AccountId != accountId)
        {
            throw Problem.Unauthorized("'replaces' is a certificate that another account ordered.").ToException();
        }

        if (!identifiers.Any(i => certificate.Identifiers.Contains(i.Value)))
        {
            throw Problem.Malformed("'replaces' is a certificate that shares no identifier with the order.").ToException();
        }

        if (orders.OfAccount(accountId).Any(o => o.Replaces == certId && orders.StatusOf(o) != OrderStatus.Invalid))
        {
            throw Problem.Of("alreadyReplaced", 409, "Another order already replaces this certificate.").ToException();
        }
    }
}
