using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Protocol.Serialization;
using KestrelAcme.Protocol.Transport;

namespace KestrelAcme.Protocol.Orders;

/// <summary>An order (RFC 8555 section 7.1.3), as it was when it was read.</summary>
public sealed record Order
{
    private const int MaxIdentifiers = 1000;

    /// <summary>The URL; the identity of the order. Keep it: a server may not name it again.</summary>
    public required Uri Url { get; init; }

    /// <summary>The status.</summary>
    public OrderStatus Status { get; init; }

    /// <summary>When the order ends if it is not finalized.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>The names and addresses, in any order.</summary>
    public IReadOnlyList<AcmeIdentifier> Identifiers { get; init; } = [];

    /// <summary>The authorizations, in any order; some may be valid already.</summary>
    public IReadOnlyList<Uri> AuthorizationUrls { get; init; } = [];

    /// <summary>Where the CSR goes.</summary>
    public Uri? FinalizeUrl { get; init; }

    /// <summary>Where the certificate is, once the order is valid.</summary>
    public Uri? CertificateUrl { get; init; }

    /// <summary>Why the order is invalid.</summary>
    public AcmeProblem? Error { get; init; }

    /// <summary>The profile, where the server names it.</summary>
    public string? Profile { get; init; }

    /// <summary>The certificate that is replaced, as the server repeats it (RFC 9773 section 5).</summary>
    public string? Replaces { get; init; }

    /// <summary>The begin of the certificate, where it was asked for.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>The end of the certificate, where it was asked for.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>How long the server asks to wait before the next look.</summary>
    public TimeSpan? RetryAfter { get; init; }

    internal static Order FromResponse(AcmeResponse answer, Uri url)
    {
        var document = answer.Read(AcmeJson.Default.OrderDocument);
        return new Order
        {
            Url = url,
            Status = StatusOf(document.Status),
            Expires = WireTime.Parse(document.Expires),
            Identifiers = [.. (document.Identifiers ?? []).Take(MaxIdentifiers).Select(AcmeIdentifier.FromDocument).OfType<AcmeIdentifier>()],
            AuthorizationUrls = [.. (document.Authorizations ?? []).Take(MaxIdentifiers)
                .Select(text => answer.Link(text, "authorizations")).OfType<Uri>()],
            FinalizeUrl = answer.Link(document.Finalize, "finalize"),
            CertificateUrl = answer.Link(document.Certificate, "certificate"),
            Error = AcmeProblem.FromDocument(document.Error),
            Profile = Text(document.Profile),
            Replaces = Text(document.Replaces),
            NotBefore = WireTime.Parse(document.NotBefore),
            NotAfter = WireTime.Parse(document.NotAfter),
            RetryAfter = answer.RetryAfter,
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
