
namespace KestrelAcme.Certificates.Model;

/// <summary>What the renewal policy needs to know of a certificate.</summary>
/// <param name="NotBefore">When it began to be valid.</param>
/// <param name="NotAfter">When it ends.</param>
/// <param name="CoversNames">Whether it is for the names that are wanted now.</param>
/// <param name="HasRenewalInfo">Whether the authority that issued it offers renewal information.</param>
/// <param name="Jitter">From 0 up to, but not including, 1; drawn once when the certificate was stored, so that the decision does not move.</param>
internal sealed record CertificateFacts(DateTimeOffset NotBefore, DateTimeOffset NotAfter, bool CoversNames, bool HasRenewalInfo, double Jitter)
{
    public RevocationState Revocation { get; init; }

    /// <summary>When certificates for these names were obtained lately.</summary>
    public IReadOnlyList<DateTimeOffset> Issued { get; init; } = [];

    public TimeSpan Lifetime => NotAfter - NotBefore;
}
