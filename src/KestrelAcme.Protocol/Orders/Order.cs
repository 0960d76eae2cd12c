using System.Text.Json.Serialization;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Orders;

/// <summary>An order (RFC 8555 section 7.1.3), as of the time it was read.</summary>
public sealed record Order
{
    private const int MaxIdentifiers = 1000;

    /// <summary>The URL, which identifies the order. Store it: the server may not tell it again.</summary>
    public required Uri Url { get; init; }

    /// <summary>The status.</summary>
    public OrderStatus Status { get; init; }

    /// <summary>When the order expires if it is not finalized.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The names and addresses, in no particular order.</summary>
    public IReadOnlyList<AcmeIdentifier> Identifiers { get; init; } = [];

    /// <summary>The URLs of the authorizations, in no particular order. Some may already be valid.</summary>
    public IReadOnlyList<Uri> AuthorizationUrls { get; init; } = [];

    /// <summary>The URL to send the signing request to.</summary>
    public Uri? FinalizeUrl { get; init; }

    /// <summary>The URL of the certificate, if the order is valid.</summary>
    public Uri? CertificateUrl { get; init; }

    /// <summary>Why the order is invalid.</summary>
    public AcmeProblem? Error { get; init; }

    /// <summary>The certificate profile, if the server reports it.</summary>
    public string? Profile { get; init; }

    /// <summary>The replaced certificate, as reported by the server (RFC 9773 section 5).</summary>
    public string? Replaces { get; init; }

    /// <summary>The requested start of the certificate's validity, if any.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The requested end of the certificate's validity, if any.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>How long the server asks to wait before the next poll (Retry-After).</summary>
    public TimeSpan? RetryAfter { get; init; }

    internal static Order FromResponse(AcmeResponse response, Uri url)
    {
        var document = response.Read(AcmeJson.Default.OrderDocument);
        return new Order
        {
            Url = url,
            Status = StatusOf(document.Status),
            Expires = WireTime.Parse(document.Expires),
            Identifiers = [.. (document.Identifiers ?? []).Take(MaxIdentifiers)
                .Select(AcmeIdentifier.FromDocument).OfType<AcmeIdentifier>()],
            AuthorizationUrls = [.. (document.Authorizations ?? []).Take(MaxIdentifiers)
                .Select(text => response.Link(text, "authorizations")).OfType<Uri>()],
            FinalizeUrl = response.Link(document.Finalize, "finalize"),
            CertificateUrl = response.Link(document.Certificate, "certificate"),
            Error = AcmeProblem.FromDocument(document.Error),
            Profile = Text(document.Profile),
            Replaces = Text(document.Replaces),
            NotBefore = WireTime.Parse(document.NotBefore),
            NotAfter = WireTime.Parse(document.NotAfter),
            RetryAfter = response.RetryAfter,
        };
    }

    private static string? Text(string? text) => string.IsNullOrEmpty(text) ? null : QuotedText.Words(text, 200);

    private static OrderStatus StatusOf(string? status) => status switch
    {
        "pending" => OrderStatus.Pending,
        "ready" => OrderStatus.Ready,
        "processing" => OrderStatus.Processing,
        "valid" => OrderStatus.Valid,
        "invalid" => OrderStatus.Invalid,
        _ => OrderStatus.Unknown,
    };
}

/// <summary>The status of an order (RFC 8555 section 7.1.6).</summary>
public enum OrderStatus
{
    /// <summary>A status unknown to this library.</summary>
    Unknown,

    /// <summary>Authorizations have to be completed.</summary>
    Pending,

    /// <summary>The order can be finalized.</summary>
    Ready,

    /// <summary>The certificate is being issued.</summary>
    Processing,

    /// <summary>The certificate is available.</summary>
    Valid,

    /// <summary>The order failed.</summary>
    Invalid,
}

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
