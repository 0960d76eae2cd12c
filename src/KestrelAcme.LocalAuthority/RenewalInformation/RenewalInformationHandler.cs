using System.Globalization;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;
using KestrelAcme.LocalAuthority.Revocation;

namespace KestrelAcme.LocalAuthority.RenewalInformation;

/// <summary>Serves renewal information (RFC 9773 section 4).</summary>
internal sealed class RenewalInformationHandler(
    CertificateLedger certificates,
    RevocationLedger revocations,
    RenewalSchedule schedule,
    LocalAcmeAuthorityOptions options) : IResourceHandler
{
    // With fractions of a second, because simulated lifetimes may be only a few seconds.
    private const string Precise = "yyyy-MM-dd'T'HH:mm:ss.FFF'Z'";

    public ResourceKind Resource => ResourceKind.RenewalInformation;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var certificate = options.OfferRenewalInformation ? certificates.FindByCertId(request.Route.Id) : null;
        if (certificate is null)
        {
            throw Problem.NotFound("certificate").ToException();
        }

        var window = schedule.Ask(
            certificate.CertId,
            certificate.Certificate.NotBefore,
            certificate.Certificate.NotAfter,
            revocations.Find(certificate.SerialNumber)?.RevokedAt);
        var resource = new RenewalInformationResource
        {
            SuggestedWindow = new SuggestedWindowResource(Format(window.Start), Format(window.End)),
            ExplanationUrl = window.ExplanationUrl?.ToString(),
        };
        return AcmeResponse.Of(200, resource, AuthorityJson.Default.RenewalInformationResource) with
        {
            CarriesNonce = false,
            RetryAfter = schedule.RetryAfter is { } delay ? new RetryAfter(delay, schedule.RetryAfterAsDate) : null,
        };
    }

    private static string Format(DateTimeOffset time) => time.UtcDateTime.ToString(Precise, CultureInfo.InvariantCulture);
}
