using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Protocol.Orders;

/// <summary>The properties of a new order (RFC 8555 section 7.4).</summary>
public sealed record NewOrderRequest
{
    /// <summary>The names and addresses; at least one.</summary>
    public required IReadOnlyList<AcmeIdentifier> Identifiers { get; init; }

    /// <summary>The certificate profile, one of those in the directory.</summary>
    /// <value><see langword="null"/> by default: the CA chooses.</value>
    public string? Profile { get; init; }

    /// <summary>
    /// The certificate that this order replaces (RFC 9773 section 5). Set it only if the directory offers renewal information and the same
    /// account ordered that certificate; a CA may reject the whole order because of it.
    /// </summary>
    /// <value><see langword="null"/> by default: the order replaces no certificate.</value>
    public RenewalCertificateId? Replaces { get; init; }

    /// <summary>The requested start of the certificate's validity. Let's Encrypt rejects it.</summary>
    /// <value><see langword="null"/> by default: the CA chooses.</value>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The requested end of the certificate's validity. Let's Encrypt rejects it.</summary>
    /// <value><see langword="null"/> by default: the CA chooses.</value>
    public DateTimeOffset? NotAfter { get; init; }
}
