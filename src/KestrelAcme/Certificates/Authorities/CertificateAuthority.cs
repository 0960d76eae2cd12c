using System.Collections.Concurrent;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>An authority in use: what was configured, the client, the account and the health.</summary>
internal sealed class CertificateAuthority(IAuthorityClient client, AccountProvider accounts)
{
    public AuthoritySpecification Specification => client.Specification;

    public IAuthorityClient Client => client;

    public AccountProvider Accounts => accounts;

    /// <summary>What it refuses whatever the names are: the account, or a profile.</summary>
    public AccountBlocks Blocks => accounts.Blocks;

    private readonly ConcurrentDictionary<string, bool> _missedChains = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether it is the first time that a preferred chain was not on offer: said once, not with each certificate.</summary>
    public bool MissesChain(string preferred) => _missedChains.TryAdd(preferred, true);

    public AuthorityHealth Health { get; } = new();

    /// <summary>How well it answers questions for renewal information: where it does not, it may take orders all the same.</summary>
    public AuthorityHealth RenewalInfoHealth { get; } = new();
}
