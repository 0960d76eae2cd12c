using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;

namespace KestrelAcme.Certificates.Upkeep;

/// <summary>Raises an event, once a day, for each served certificate whose renewal is late or that has expired.</summary>
internal sealed class ExpiryWatch(CertificateCatalog catalog, IssuanceStatus issuance, CertificateEventHub events, TimeProvider time)
{
    private static readonly TimeSpan Repeat = TimeSpan.FromDays(1);

    // When each was raised last, by the monotonic clock: the other one may jump.
    private Dictionary<string, long> _raised = [];

    /// <summary>Looks at all certificates. Called by one loop.</summary>
    public void Look()
    {
        var (now, timestamp, reason) = (time.GetUtcNow(), time.GetTimestamp(), issuance.ReasonNotToOrder);
        var raised = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var certificate in catalog.All)
        {
            if (certificate.Current is not { } served
                || (certificate.FindProblems(reason, now) & (CertificateProblems.Overdue | CertificateProblems.Expired)) == 0)
            {
                continue;
            }

            if (_raised.TryGetValue(certificate.Id, out var last) && time.GetElapsedTime(last, timestamp) < Repeat)
            {
                raised.Add(certificate.Id, last);
                continue;
            }

            raised.Add(certificate.Id, timestamp);
            var status = CertificateStatuses.Create(certificate, orders: reason is null, now);
            events.Publish(CertificateEventKind.Expiring, Describe(certificate.Id, served.NotAfter, status.Failure, now), status);
        }

        _raised = raised;
    }

    private static string Describe(string id, DateTimeOffset notAfter, CertificateFailure? failure, DateTimeOffset now)
    {
        var late = notAfter <= now ? $"{id} expired on {notAfter:u}." : $"{id} is served until {notAfter:u}, and its renewal is late.";
        return failure is null ? late : $"{late} {failure.Message}";
    }
}
