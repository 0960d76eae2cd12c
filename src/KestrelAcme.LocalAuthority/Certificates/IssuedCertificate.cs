using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.LocalAuthority.Certificates;

/// <summary>A certificate that the authority issued. Immutable; do not dispose its certificate.</summary>
public sealed class IssuedCertificate
{
    internal IssuedCertificate(X509Certificate2 certificate, string certId)
    {
        Certificate = certificate;
        CertId = certId;
    }

    /// <summary>The last part of the certificate's URL.</summary>
    public required string Id { get; init; }

    /// <summary>The leaf, without a key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>The certificate identifier of RFC 9773 section 4.1.</summary>
    public string CertId { get; }

    /// <summary>The serial number in upper-case hex.</summary>
    public string SerialNumber => Certificate.SerialNumber;

    /// <summary>The names that were ordered; addresses in canonical text form.</summary>
    public required IReadOnlyList<string> Identifiers { get; init; }

    /// <summary>The last part of the URL of the account that ordered it.</summary>
    public required string AccountId { get; init; }

    /// <summary>The last part of the URL of its order.</summary>
    public required string OrderId { get; init; }

    /// <summary>The profile that the order named; null without one.</summary>
    public string? Profile { get; init; }

    /// <summary>The certID that the order replaced; null without one.</summary>
    public string? Replaces { get; init; }

    /// <summary>When it was issued, by the authority's clock.</summary>
    public required DateTimeOffset IssuedAt { get; init; }

    /// <summary>Its download shall hold the leaf only.</summary>
    internal bool ChainMissing { get; init; }
}
