
namespace KestrelAcme.Certificates.Model;

/// <summary>How often an order failed in a row by the authority's fault, and when validations of its names failed.</summary>
/// <param name="OfTheAuthority">The failures of the authority, whatever was ordered.</param>
/// <param name="OfThisCertificate">Those of this certificate alone: others may succeed in between.</param>
/// <param name="FailedValidations">When validations failed within the last hour, the one that failed now among them.</param>
internal readonly record struct FailureRun(int OfTheAuthority, int OfThisCertificate = 0, IReadOnlyList<DateTimeOffset>? FailedValidations = null);
