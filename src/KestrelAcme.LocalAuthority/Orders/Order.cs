using System.Collections.Immutable;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>An order, RFC 8555 section 7.1.3. Immutable; its status and its transitions are pure functions.</summary>
/// <param name="Id">The last part of its URL.</param>
/// <param name="AccountId">The account that ordered.</param>
/// <param name="Identifiers">What the certificate shall name, in the client's order.</param>
/// <param name="AuthorizationIds">One authorization per identifier.</param>
/// <param name="Expires">When it ends, unless it is valid by then.</param>
internal sealed record Order(
    string Id,
    string AccountId,
    ImmutableArray<Identifier> Identifiers,
    ImmutableArray<string> AuthorizationIds,
    DateTimeOffset Expires)
{
    public string? Profile { get; init; }

    /// <summary>The certID (RFC 9773) of the certificate that this order's one replaces.</summary>
    public string? Replaces { get; init; }

    /// <summary>A good CSR has come and is being signed.</summary>
    public bool Claimed { get; init; }

    /// <summary>Why the order ended when it was to be finalized.</summary>
    public Problem? Error { get; init; }

    public string? CertificateId { get; init; }

    /// <summary>How many more times the order says "pending" after all of its authorizations are valid.</summary>
    public int LateReadyPolls { get; init; }

    /// <summary>How many more times the order says "processing" after its certificate was made.</summary>
    public int ProcessingPolls { get; init; }

    /// <summary>The order was finalized while processing was made to get stuck.</summary>
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
            return CertificateId is null || ProcessingPolls > 0 || (Stuck && processingStuck) ? OrderStatus.Processing : OrderStatus.Valid;
        }

        if (authorizations.Any(a => a is not (AuthorizationStatus.Pending or AuthorizationStatus.Valid)))
        {
            return OrderStatus.Invalid;
        }

        return authorizations.All(a => a == AuthorizationStatus.Valid) && LateReadyPolls == 0 ? OrderStatus.Ready : OrderStatus.Pending;
    }

    /// <summary>What one more look at the order changes: delays that are counted in looks run down.</summary>
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
