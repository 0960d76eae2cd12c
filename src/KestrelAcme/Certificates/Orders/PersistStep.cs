using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Looks before an order whether the records of dns-persist-01 are in DNS, where no other challenge is allowed: an order that nothing can come of is not placed. Which names the records know the
/// authority by is known before only from its directory; otherwise its challenge says it, and the handler looks.
/// </summary>
internal sealed class PersistStep(PersistCheck check)
{
    /// <exception cref="ChallengeException">A record is missing; the message shows it.</exception>
    public async Task CheckAsync(OrderContext context, IAuthorityAccount account, CancellationToken cancellationToken)
    {
        if (context.Specification.ChallengeTypes is not [DnsPersist01ChallengeHandler.Type])
        {
            return;
        }

        var directory = await context.Authority.Client.GetDirectoryAsync(cancellationToken);
        if (directory.Meta.CaaIdentities.Count > 0)
        {
            var names = context.Specification.Identifiers.Where(i => i.Kind == IdentifierKind.Dns);
            await check.CheckAsync([.. names.Select(name => new PersistRequest(name.BaseValue, name.IsWildcard, account.Url, directory.Meta.CaaIdentities))], cancellationToken);
        }
    }
}
