using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.RenewalInformation;

namespace KestrelAcme.Protocol.Orders;

/// <summary>What a new order asks for (RFC 8555 section 7.4).</summary>
public sealed record NewOrderRequest
{
    /// <summary>The names and addresses; at least one.</summary>
    public required IReadOnlyList<AcmeIdentifier> Identifiers { get; init; }

    /// <summary>The profile, one of those in the directory.</summary>
    /// <value><see langword="null"/>: the authority picks.</value>
    public string? Profile { get; init; }

    /// <summary>The certificate that this order replaces (RFC 9773 section 5). Only where the directory offers renewal information and the same account ordered the old one; an authority may refuse the whole order because of it.</summary>
    /// <value><see langword="null"/>: the order replaces nothing.</value>
    public RenewalCertificateId? Replaces { get; init; }

    /// <summary>When the certificate is to begin. Let's Encrypt refuses it.</summary>
    /// <value><see langword="null"/>: the authority picks.</value>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>When the certificate is to end. Let's Encrypt refuses it.</summary>
    /// <value><see langword="null"/>: the authority picks.</value>
    public DateTimeOffset? NotAfter { get; init; }
}
