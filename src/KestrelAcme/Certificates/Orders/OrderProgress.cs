using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Tells the steps of orders: to the observer, and as events to those who watch.</summary>
internal sealed class OrderProgress(IOrderObserver observer, CertificateEventHub events, CertificateMetrics metrics, TimeProvider time, ILogger<OrderProgress> logger)
{
    public void Started(ManagedCertificate certificate, AuthoritySpecification authority)
        => Publish(certificate, CertificateEventKind.Started, $"Ordering a certificate for {certificate.Id} from {authority.DisplayName}.");

    public void Changed(ManagedCertificate certificate, CertificateState from, CertificateState to)
    {
        if (from != to)
        {
            metrics.Entered(to.ToString());
            logger.StateChanged(certificate.Id, from.ToString(), to.ToString());
        }
    }

    public void Reached(ManagedCertificate certificate, OrderStep step)
    {
        observer.Reached(certificate.Id, step);
        switch (step)
        {
            case OrderStep.AccountReady:
                Publish(certificate, CertificateEventKind.AccountReady, "The account is ready.");
                break;
            case OrderStep.OrderUrlStored:
                Publish(certificate, CertificateEventKind.OrderPlaced, $"The order for {certificate.Id} was placed.");
                break;
            case OrderStep.ChallengePosted:
                Publish(certificate, CertificateEventKind.ChallengePosted, $"Submitted a challenge of {certificate.Id} for validation.");
                break;
            case OrderStep.AuthorizationValid:
                Publish(certificate, CertificateEventKind.AuthorizationValid, $"The CA validated a name of {certificate.Id}.");
                break;
            case OrderStep.Finalized:
                Publish(certificate, CertificateEventKind.Finalized, $"The certificate request for {certificate.Id} was sent.");
                break;
            default:
                break;
        }
    }

    private void Publish(ManagedCertificate certificate, CertificateEventKind kind, string message)
        => events.Publish(kind, message, CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
}
