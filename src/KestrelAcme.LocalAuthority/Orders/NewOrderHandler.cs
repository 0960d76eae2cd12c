using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Certificates;
using KestrelAcme.LocalAuthority.Diagnostics;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Orders;

/// <summary>Creates orders (RFC 8555 section 7.4).</summary>
internal sealed class NewOrderHandler(
    OrderBook orders,
    AuthorizationBook authorizations,
    ReplacementPolicy replacements,
    LocalAcmeAuthorityOptions options,
    NameConstraints? constraints,
    AuthorityFaults faults,
    TimeProvider time,
    AuthorityLog log) : IResourceHandler
{
    public ResourceKind Resource => ResourceKind.NewOrder;

    public AcmeResponse Handle(AcmeRequest request)
    {
        var account = request.Signer;
        var payload = request.Read(AuthorityJson.Default.NewOrderPayload);
        CheckExtras(payload);
        var identifiers = CheckIdentifiers(payload.Identifiers);
        if (faults.Refusals.LimitOf(identifiers) is { } limit)
        {
            return AcmeResponse.Of(limit.Problem) with { RetryAfter = limit.RetryAfter };
        }

        if (payload.Replaces is { } replaced)
        {
            replacements.Check(replaced, account.Id, identifiers);
        }

        if (FindReusable(account, identifiers) is { } earlier)
        {
            return orders.Answer(201, earlier, request.Urls);
        }

        var order = Create(account, identifiers, payload);
        orders.Table.Add(order.Id, order);
        log.OrderCreated(order.Id, string.Join(", ", identifiers));
        return orders.Answer(201, order, request.Urls);
    }

    private Order Create(Account account, Identifier[] identifiers, NewOrderPayload payload)
    {
        var now = time.GetUtcNow();
        var ids = identifiers.Select(i => authorizations.For(account.Id, i, now).Id);
        return new Order(ResourceId.Create(), account.Id, [.. identifiers], [.. ids], now + options.OrderLifetime)
        {
            Profile = payload.Profile,
            Replaces = payload.Replaces,
            LateReadyPolls = faults.LateReadyPolls,
        };
    }

    private Order? FindReusable(Account account, Identifier[] identifiers)
        => faults is { ReusePendingOrders: false, ReuseValidOrders: false } ? null
            : orders.OfAccount(account.Id).FirstOrDefault(o => o.HasSameIdentifiers(identifiers) && IsReused(orders.StatusOf(o)));

    private bool IsReused(OrderStatus status) => status switch
    {
        OrderStatus.Pending or OrderStatus.Ready => faults.ReusePendingOrders,
        OrderStatus.Valid => faults.ReuseValidOrders,
        _ => false,
    };

    private void CheckExtras(NewOrderPayload payload)
    {
        if (payload.NotBefore is not null || payload.NotAfter is not null)
        {
            throw Problem.Malformed("notBefore and notAfter are not supported.").ToException();
        }

        if (faults.Refusals.OfProfile(payload.Profile) is { } refusal)
        {
            throw refusal.ToException();
        }

        if (payload.Profile is { } profile && options.Profiles.All(p => p.Name != profile))
        {
            throw Problem.Of("invalidProfile", 400, $"There is no profile '{profile}'.").ToException();
        }
    }

    private Identifier[] CheckIdentifiers(IReadOnlyList<Identifier>? asked)
    {
        if (asked is null or [] || asked.Any(i => i is null || i.Type is null || i.Value is null))
        {
            throw Problem.Malformed("The order has no identifiers, or one without a type or value.").ToException();
        }

        if (asked.Count > options.MaxIdentifiers)
        {
            var limit = $"at most {options.MaxIdentifiers} are accepted.";
            throw Problem.Malformed($"The order has {asked.Count} identifiers: {limit}").ToException();
        }

        var checks = asked.Select(CheckIdentifier).ToArray();
        var problems = checks.Select(c => c.Problem).OfType<Problem>().ToArray();
        return problems switch
        {
            [] => [.. checks.Select(c => c.Identifier).OfType<Identifier>().Distinct()],
            [var only] when asked.Count == 1 => throw only.ToException(),
            _ => throw (Problem.Of("rejectedIdentifier", 400, $"{problems.Length} of {asked.Count} names are rejected.") with
            {
                Subproblems = problems,
            }).ToException(),
        };
    }

    private (Identifier? Identifier, Problem? Problem) CheckIdentifier(Identifier asked)
    {
        if (faults.RejectionOf(asked) is { } rejection)
        {
            return (null, rejection);
        }

        // No client would accept a certificate that the root may not issue.
        var check = IdentifierPolicy.Check(asked);
        return check.Identifier is { } identifier && constraints?.Permits(identifier) == false
            ? (null, Problem.RejectedIdentifier(
                asked,
                $"The root of the local authority may not issue for '{asked.Value}', only for {constraints}. Add it to PermittedNames of "
                + "LocalAcmeAuthorityOptions, delete the authority's folder, and trust the new root."))
            : check;
    }
}
