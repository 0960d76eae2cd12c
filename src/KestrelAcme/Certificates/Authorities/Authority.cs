using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An authority in use: what was configured, the client, the account and the health.</summary>
internal sealed class Authority(IAuthorityClient client, AccountKeeper accounts)
{
    public AuthoritySpecification Specification => client.Specification;

    public IAuthorityClient Client => client;

    public AccountKeeper Accounts => accounts;

    public AuthorityHealth Health { get; } = new();

    /// <summary>How well it answers questions for renewal information: where it does not, it may take orders all the same.</summary>
    public AuthorityHealth RenewalInfoHealth { get; } = new();
}
