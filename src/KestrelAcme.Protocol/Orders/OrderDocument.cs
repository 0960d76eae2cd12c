using System.Text.Json.Serialization;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;

namespace KestrelAcme.Protocol.Orders;

/// <summary>An order as it is on the wire (RFC 8555 section 7.1.3).</summary>
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
