using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Configuration.Names;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Checks before an order whether CAA records forbid it (RFC 8659). A CA that respects them lists its CAA identities in its directory (RFC
/// 8555 section 9.7.6). If it lists none, as most private CAs, nothing can be judged and nothing is looked up.
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
