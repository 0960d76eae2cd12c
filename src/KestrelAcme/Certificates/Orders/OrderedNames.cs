using System.Collections.Frozen;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Authorizations;
using KestrelAcme.Protocol.Identifiers;
using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Certificates.Orders;

/// <summary>The names of an order. Authorizations for other names are not worked on, whatever the CA returns. Pure.</summary>
internal sealed class OrderedNames
{
    private const string WildcardPrefix = "*.";

    // RFC 8555 section 7.1.3 lets a CA require more than one authorization per name. Each costs requests, so there is a limit.
    private const int MostPerName = 3;

    private readonly FrozenSet<AcmeIdentifier> _ordered;

    private OrderedNames(FrozenSet<AcmeIdentifier> ordered) => _ordered = ordered;

    public static OrderedNames Of(CertificateSpecification specification) => new(Identifiers.ToAcme(specification).ToFrozenSet());

    /// <summary>The most authorizations that are read for an order of these names.</summary>
    public int MostAuthorizations => _ordered.Count * MostPerName;

    /// <exception cref="AcmeMalformedResponseException">An order has more authorizations than its names could need.</exception>
    public void ThrowIfTooMany(int authorizations, Uri orderUrl)
    {
        if (authorizations > MostAuthorizations)
        {
            throw new AcmeMalformedResponseException(
                $"The order {orderUrl} is for {_ordered.Count} names, but the CA requires {authorizations} authorizations.");
        }
    }

    /// <summary>Checks that an authorization is for a name that was ordered.</summary>
    /// <returns>
    /// The authorization with its name in the form that challenge handlers use: lower case, without a final dot, and without <c>*.</c> if
    /// it is for a wildcard.
    /// </returns>
    /// <exception cref="AcmeMalformedResponseException">It is for another name, or for a wildcard instead of the name, or the other way
    /// around.</exception>
    public Authorization Require(Authorization authorization)
    {
        var identifier = Canonical(authorization.Identifier);
        var wildcard = authorization.Wildcard;
        if (identifier.IsDns && identifier.Value.StartsWith(WildcardPrefix, StringComparison.Ordinal))
        {
            // RFC 8555 section 7.1.4 forbids this form, but its meaning is clear.
            identifier = AcmeIdentifier.Dns(identifier.Value[WildcardPrefix.Length..]);
            wildcard = true;
        }

        var name = wildcard ? AcmeIdentifier.Dns(WildcardPrefix + identifier.Value) : identifier;
        if (_ordered.Contains(name) && !(wildcard && identifier.IsIp))
        {
            return authorization with { Identifier = identifier, Wildcard = wildcard };
        }

        var names = string.Join(", ", _ordered.Select(i => i.Value).Order(StringComparer.Ordinal));
        throw new AcmeMalformedResponseException(
            $"The CA wants an authorization for {name.Value} ({authorization.Url}), which was not ordered; the order is for {names}.");
    }

    // A name in Unicode is converted to the A-labels that were ordered.
    private static AcmeIdentifier Canonical(AcmeIdentifier identifier)
    {
        try
        {
            return identifier.IsDns ? AcmeIdentifier.Dns(identifier.Value) : identifier;
        }
        catch (ArgumentException)
        {
            return identifier;
        }
    }
}
