using KestrelAcme.LocalAuthority.Accounts;
using KestrelAcme.LocalAuthority.Faults;
using KestrelAcme.LocalAuthority.Identifiers;
using KestrelAcme.LocalAuthority.Problems;
using KestrelAcme.LocalAuthority.Requests;

namespace KestrelAcme.LocalAuthority.Authorizations;

/// <summary>Stores authorizations and selects the one for an identifier of a new order.</summary>
internal sealed class AuthorizationBook(LocalAcmeAuthorityOptions options, AuthorityFaults faults)
{
    private readonly ResourceTable<Authorization> _table = new();

    public ResourceTable<Authorization> Table => _table;

    public Authorization For(string accountId, Identifier asked, DateTimeOffset now)
    {
        if (faults.ReusePendingAuthorizations || faults.ReuseValidAuthorizations)
        {
            var reusable = _table.Snapshot().FirstOrDefault(a => a.Covers(accountId, asked) && IsReusable(a.StatusAt(now)));
            if (reusable is not null)
            {
                return reusable;
            }
        }

        var created = Authorization.Create(
            accountId,
            asked,
            options.ChallengeTypes,
            [.. options.CaaIdentities],
            options.AccountHashPrefix,
            now + options.AuthorizationLifetime);
        if (faults.PreApprove)
        {
            created = created with { Status = AuthorizationStatus.Valid };
        }

        _table.Add(created.Id, created);
        return created;
    }

    /// <summary>Returns the authorization if it exists and belongs to the account.</summary>
    public Authorization Require(string id, Account account)
    {
        if (!_table.TryGet(id, out var authorization))
        {
            throw Problem.NotFound("authorization").ToException();
        }

        return authorization.AccountId == account.Id
            ? authorization
            : throw Problem.Unauthorized("The authorization belongs to another account.").ToException();
    }

    public bool HasValid(string accountId, Identifier identifier, DateTimeOffset now) =>
        _table.Snapshot().Any(a => a.Covers(accountId, identifier) && a.StatusAt(now) == AuthorizationStatus.Valid);

    private bool IsReusable(AuthorizationStatus status) => status switch
    {
        AuthorizationStatus.Pending => faults.ReusePendingAuthorizations,
        AuthorizationStatus.Valid => faults.ReuseValidAuthorizations,
        _ => false,
    };
}
