using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01.Caa;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Protocol.Accounts;

namespace KestrelAcme.Certificates.Orders;

/// <summary>
/// Checks before an order whether the records of dns-persist-01 are in DNS, if no other challenge is allowed: a hopeless order is not
/// placed. The issuer name in the records is known before the order only if the CA's directory has it. Otherwise the challenge has it, and
/// the handler checks.
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

        var directory = PersistDirectory.Of((await context.Authority.Client.GetDirectoryAsync(cancellationToken)).Meta);
        if (PersistIssuers.BeforeAnyChallenge(directory) is { } issuers)
        {
            var orderer = new PersistAccount(account.Url, account.Key.Thumbprint, token => ProveAsync(account, token));
            var names = context.Specification.Identifiers.Where(i => i.Kind == IdentifierKind.Dns);
            var requests = names.Select(name => PersistCheck.Request(name.BaseValue, name.IsWildcard, orderer, issuers, directory));
            context.NoteRecordEnd(await check.CheckAsync([.. requests], cancellationToken));
        }
    }

    /// <summary>
    /// Asks the CA about an account before the operator is asked to create a record for it (draft-ietf-acme-dns-persist-02 section 4.5).
    /// </summary>
    /// <exception cref="ChallengeException">The account is not valid.</exception>
    public static async Task ProveAsync(IAuthorityAccount account, CancellationToken cancellationToken)
    {
        var details = await account.ReadAsync(cancellationToken);
        if (details.Status != AccountStatus.Valid)
        {
            throw new ChallengeException(
                $"The account {account.Url} is {details.Status.ToString().ToLowerInvariant()} at the CA: "
                + "no dns-persist-01 record is created for it.")
            {
                Fault = ChallengeFault.Operator,
            };
        }
    }
}

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
