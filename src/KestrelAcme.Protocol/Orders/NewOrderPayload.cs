using KestrelAcme.Protocol.Identifiers;

namespace KestrelAcme.Protocol.Orders;

/// <summary>The payload of newOrder (RFC 8555 section 7.4, RFC 9773 section 5, profiles draft).</summary>
internal sealed class NewOrderPayload
{
    public required IReadOnlyList<IdentifierDocument> Identifiers { get; init; }

    public string? NotBefore { get; init; }

    public string? NotAfter { get; init; }

    public string? Profile { get; init; }

    public string? Replaces { get; init; }
}
