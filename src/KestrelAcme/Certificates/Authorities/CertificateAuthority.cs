using System.Collections.Concurrent;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>A CA in use: its configuration, client, account and health.</summary>
internal sealed class CertificateAuthority(IAuthorityClient client, AccountProvider accounts)
{
    public AuthoritySpecification Specification => client.Specification;

    public IAuthorityClient Client => client;

    public AccountProvider Accounts => accounts;

    /// <summary>The account or the profiles that the CA refuses, whatever the names are.</summary>
    public AccountBlocks Blocks => accounts.Blocks;

    private readonly ConcurrentDictionary<string, bool> _missedChains = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Whether this is the first time that a preferred chain was not on offer. That is logged once, not for each certificate.
    /// </summary>
    public bool MissesChain(string preferred) => _missedChains.TryAdd(preferred, true);

    public AuthorityHealth Health { get; } = new();

    /// <summary>The health of requests for renewal information. If they fail, orders may work all the same.</summary>
    public AuthorityHealth RenewalInfoHealth { get; } = new();
}
