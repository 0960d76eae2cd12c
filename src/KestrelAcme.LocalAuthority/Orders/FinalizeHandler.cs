using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Jose;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Accepts the CSR of an order and issues its certificate (RFC 8555 section 7.4).</summary>
internal sealed class FinalizeHandler(
    OrderBook orders,
    AccountRegistry accounts,
    CertificateLedger certificates,
    LeafIssuer issuer,
    AuthorityFaults faults,
    AuthorityLog log) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.Finalize;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var order = orders.Require(request.Route.Id, request.Signer);
        RequireReady(order);
        if (faults.EndOrdersAtFinalize is { } type)
        {
            var problem = Problem.Of(type, 403, "Finalizing was refused on purpose.");
            orders.Table.Update(order.Id, o => o with { Error = problem });
            throw problem.ToException();
        }

        var csr = ReadRequest(request.Read(AuthorityJson.Default.FinalizePayload), order);
        Claim(order);
        var issued = issuer.Issue(order, csr);
        certificates.Add(issued);
        var polls = faults.ProcessingPolls;
        order = orders.Table.Update(order.Id, o => o with
        {
            CertificateId = issued.Id,
            ProcessingPolls = polls,
            Stuck = faults.ProcessingStuck,
        }) ?? order;
        log.CertificateIssued(issued.SerialNumber, string.Join(", ", issued.Identifiers), issued.Certificate.NotAfter.ToUniversalTime());
        var answer = orders.Answer(200, order, request.Urls);
        orders.Poll(order);
        return answer;
    }

    private void RequireReady(Order order)
    {
        var status = orders.StatusOf(order);
        if (status != OrderStatus.Ready)
        {
            throw Problem.Of("orderNotReady", 403, $"The order is {OrderResource.StatusName(status)}, not ready.").ToException();
        }
    }

    private CertificateSigningRequest ReadRequest(FinalizePayload payload, Order order)
    {
        if (!Base64UrlText.TryDecode(payload.Csr, out var der))
        {
            throw Problem.Malformed("'csr' is missing or not base64url.").ToException();
        }

        var csr = CertificateSigningRequest.Parse(der);
        csr.RequireExactly(order.Identifiers);
        if (accounts.FindByKey(AccountKey.FingerprintOf(csr.PublicKey.ExportSubjectPublicKeyInfo())) is not null)
        {
            throw Problem.BadCsr("The CSR's key is the key of an account.").ToException();
        }

        if (faults.Refusals.OfKey(csr.PublicKey) is { } refusal)
        {
            throw refusal.ToException();
        }

        return csr;
    }

    // Of two simultaneous finalize requests, one claims the order and the other finds it processing.
    private void Claim(Order order)
    {
        var claimed = false;
        orders.Table.Update(order.Id, o =>
        {
            claimed = !o.Claimed;
            return o with { Claimed = true };
        });
        if (!claimed)
        {
            throw Problem.Of("orderNotReady", 403, "The order is already being finalized.").ToException();
        }
    }
}
