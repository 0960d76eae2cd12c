using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Looks before an order whether CAA records forbid it (RFC 8659), at public authorities: private ones issue for names that public DNS knows nothing of.
/// </summary>
internal sealed class CaaStep(ICaaCheck check)
{
    /// <exception cref="ChallengeException">The zone's own name servers forbid it; the message shows the record to add.</exception>
    public async Task CheckAsync(OrderContext context, IAuthorityAccount account, CancellationToken cancellationToken)
    {
        if (!context.Authority.Specification.IsPublic)
        {
            return;
        }

        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
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
        => [.. context.Specification.Identifiers.Where(i => i.Kind == IdentifierKind.Dns).Select(i => new CaaSubject(i.BaseValue, i.IsWildcard))];
}
