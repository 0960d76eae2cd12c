using System.Collections.Immutable;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>An order (RFC 8555 section 7.1.3). Immutable; its status and transitions are pure functions.</summary>
/// <param name="Id">The last segment of its URL.</param>
/// <param name="AccountId">The account that placed the order.</param>
/// <param name="Identifiers">The identifiers of the certificate, in the client's order.</param>
/// <param name="AuthorizationIds">One authorization for each identifier.</param>
/// <param name="Expires">When the order expires unless it is valid by then.</param>
internal sealed record Order(
    string Id,
    string AccountId,
    ImmutableArray<Identifier> Identifiers,
    ImmutableArray<string> AuthorizationIds,
    DateTimeOffset Expires)
{
    public string? Profile { get; init; }

    /// <summary>The identifier (RFC 9773) of the certificate to replace.</summary>
    public string? Replaces { get; init; }

    /// <summary>Whether a valid CSR was received and is being signed.</summary>
    public bool Claimed { get; init; }

    /// <summary>Why finalizing the order failed.</summary>
    public Problem? Error { get; init; }

    public string? CertificateId { get; init; }

    /// <summary>For how many more polls the order stays pending after all its authorizations are valid.</summary>
    public int LateReadyPolls { get; init; }

    /// <summary>For how many more polls the order stays processing after its certificate was issued.</summary>
    public int ProcessingPolls { get; init; }

    /// <summary>Whether the order was finalized while processing was made to get stuck.</summary>
    public bool Stuck { get; init; }

    public bool HasSameIdentifiers(IReadOnlyCollection<Identifier> others) =>
        Identifiers.Length == others.Count && Identifiers.All(others.Contains);

    public OrderStatus StatusFor(IReadOnlyCollection<AuthorizationStatus> authorizations, bool processingStuck)
    {
        if (Error is not null)
        {
            return OrderStatus.Invalid;
        }

        if (Claimed)
        {
            return CertificateId is null || ProcessingPolls > 0 || (Stuck && processingStuck)
                ? OrderStatus.Processing
                : OrderStatus.Valid;
        }

        if (authorizations.Any(a => a is not (AuthorizationStatus.Pending or AuthorizationStatus.Valid)))
        {
            return OrderStatus.Invalid;
        }

        return authorizations.All(a => a == AuthorizationStatus.Valid) && LateReadyPolls == 0 ? OrderStatus.Ready : OrderStatus.Pending;
    }

    /// <summary>Returns the order after another poll: delays that are counted in polls decrease.</summary>
    public Order Polled(IReadOnlyCollection<AuthorizationStatus> authorizations)
    {
        if (CertificateId is not null)
        {
            return this with { ProcessingPolls = Math.Max(0, ProcessingPolls - 1) };
        }

        return authorizations.All(a => a == AuthorizationStatus.Valid)
            ? this with { LateReadyPolls = Math.Max(0, LateReadyPolls - 1) }
            : this;
    }
}

/// <summary>The status of an order (RFC 8555 section 7.1.6). Never stored: it depends on the order and its authorizations.</summary>
internal enum OrderStatus
{
    Pending,
    Ready,
    Processing,
    Valid,
    Invalid,
}
