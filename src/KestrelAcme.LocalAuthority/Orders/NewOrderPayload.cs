using KestrelAcme.LocalAuthority.Identifiers;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>RFC 8555 section 7.4, with <c>replaces</c> (RFC 9773 section 5) and <c>profile</c>.</summary>
internal sealed record NewOrderPayload
{
    public IReadOnlyList<Identifier>? Identifiers { get; init; }

    public string? NotBefore { get; init; }

    public string? NotAfter { get; init; }

    public string? Replaces { get; init; }

    public string? Profile { get; init; }
}
