using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Orders;

/// <summary>The JSON of an order (RFC 8555 section 7.1.3).</summary>
internal sealed class OrderDocument
{
    public string? Status { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Expires { get; init; }

    public IReadOnlyList<IdentifierDocument?>? Identifiers { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? NotBefore { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? NotAfter { get; init; }

    public ProblemDocument? Error { get; init; }

    public IReadOnlyList<string?>? Authorizations { get; init; }

    public string? Finalize { get; init; }

    public string? Certificate { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Profile { get; init; }

    [JsonConverter(typeof(OptionalTextConverter))]
    public string? Replaces { get; init; }
}

/// <summary>The payload of newOrder (RFC 8555 section 7.4, RFC 9773 section 5, profiles draft).</summary>
internal sealed class NewOrderPayload
{
    public required IReadOnlyList<IdentifierDocument> Identifiers { get; init; }

    public string? NotBefore { get; init; }

    public string? NotAfter { get; init; }

    public string? Profile { get; init; }

    public string? Replaces { get; init; }
}

/// <summary>The payload of finalize (RFC 8555 section 7.4).</summary>
internal sealed class FinalizePayload
{
    public required string Csr { get; init; }
}
