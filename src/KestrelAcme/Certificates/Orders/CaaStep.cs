using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Looks before an order whether CAA records forbid it (RFC 8659). An authority that heeds them says in its directory by which names they
/// know it (RFC 8555 section 9.7.6); where one does not, as most private ones, nothing can be judged and nothing is looked up.
/// </summary>
internal sealed class CaaStep(ICaaCheck check)
{
    /// <exception cref="ChallengeException">The zone's own name servers forbid it; the message shows the record to add.</exception>
    public async Task CheckAsync(OrderContext context, IAuthorityAccount account, CancellationToken cancellationToken)
    {
        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        if (directory.Meta.CaaIdentities.Count == 0)
        {
            return;
        }

        await check.CheckAsync(
            new CaaRequest
            {
                Subjects = Subjects(context),
                CaaIdentities = directory.Meta.CaaIdentities,
                AccountUrl = account.Url,
                ChallengeTypes = context.Specification.ChallengeTypes,
            },
            cancellationToken);
    }

    /// <summary>The names of an order that have CAA records.</summary>
    public static IReadOnlyList<CaaSubject> Subjects(OrderContext context)
        => [.. context.Specification.Identifiers
            .Where(i => i.Kind == IdentifierKind.Dns)
            .Select(i => new CaaSubject(i.BaseValue, i.IsWildcard))];
}
