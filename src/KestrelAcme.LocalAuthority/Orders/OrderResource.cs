using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>The JSON of an order (RFC 8555 section 7.1.3).</summary>
internal sealed record OrderResource
{
    public required string Status { get; init; }

    public string? Expires { get; init; }

    public required IReadOnlyList<Identifier> Identifiers { get; init; }

    public required IReadOnlyList<string> Authorizations { get; init; }

    public required string Finalize { get; init; }

    public string? Certificate { get; init; }

    public string? Profile { get; init; }

    public string? Replaces { get; init; }

    public Problem? Error { get; init; }

    public static OrderResource Of(Order order, OrderStatus status, Problem? error, ResourceUrls urls, bool shuffle)
    {
        var identifiers = order.Identifiers.ToArray();
        var authorizations = order.AuthorizationIds.Select(urls.Authorization).ToArray();
        if (shuffle)
        {
            Random.Shared.Shuffle(identifiers);
            Random.Shared.Shuffle(authorizations);
        }

        return new OrderResource
        {
            Status = StatusName(status),
            Expires = Timestamp.Format(order.Expires),
            Identifiers = identifiers,
            Authorizations = authorizations,
            Finalize = urls.Finalize(order.Id),
            Certificate = status == OrderStatus.Valid ? urls.Certificate(order.CertificateId!) : null,
            Profile = order.Profile,
            Replaces = order.Replaces,
            Error = error,
        };
    }

    public static string StatusName(OrderStatus status) => status switch
    {
        OrderStatus.Ready => "ready",
        OrderStatus.Processing => "processing",
        OrderStatus.Valid => "valid",
        OrderStatus.Invalid => "invalid",
        _ => "pending",
    };
}

/// <summary>The payload of newOrder (RFC 8555 section 7.4), with <c>replaces</c> (RFC 9773 section 5) and <c>profile</c>.</summary>
internal sealed record NewOrderPayload
{
    public IReadOnlyList<Identifier>? Identifiers { get; init; }

    public string? NotBefore { get; init; }

    public string? NotAfter { get; init; }

    public string? Replaces { get; init; }

    public string? Profile { get; init; }
}

/// <summary>The payload of finalize (RFC 8555 section 7.4).</summary>
internal sealed record FinalizePayload
{
    public string? Csr { get; init; }
}
