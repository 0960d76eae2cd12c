using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>
/// The CAs in use, one for each specification. A changed specification creates a new one, and orders in progress keep theirs.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityRegistry(
    IAuthorityClientFactory factory, CertificateStore store, IssuanceSettings settings, TimeProvider time, ILoggerFactory loggers)
    : IDisposable
{
    private readonly ConcurrentDictionary<AuthoritySpecification, Lazy<CertificateAuthority>> _authorities = new();

    /// <summary>Called when a CA accepts what it had refused or held back for many names, so that they need not wait any longer.</summary>
    public Action? Lifted { get; set; }

    public CertificateAuthority Get(AuthoritySpecification specification)
        => _authorities.GetOrAdd(
            specification, s => new Lazy<CertificateAuthority>(() => Create(s), LazyThreadSafetyMode.PublicationOnly)).Value;

    /// <summary>Returns a CA in use by its directory; <see langword="null"/> if it is not in use.</summary>
    public CertificateAuthority? Find(Uri directoryUrl)
        => _authorities.FirstOrDefault(a => a.Key.DirectoryUrl == directoryUrl && a.Value.IsValueCreated).Value?.Value;

    /// <summary>
    /// Fetches the directory of a CA while Kestrel starts, so that the first order finds an open connection and compiled code. Nothing is
    /// ordered or created, and nothing fails.
    /// </summary>
    public void WarmUp(AuthoritySpecification specification, CancellationToken stopping)
        => _ = Task.Run(() => FetchDirectoryAsync(specification, stopping), CancellationToken.None);

    /// <summary>Stores the accounts in use again that are missing from the store.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be read or written.</exception>
    public async Task KeepAccountsAsync(CancellationToken cancellationToken)
    {
        foreach (var authority in _authorities.Values.Where(a => a.IsValueCreated))
        {
            await authority.Value.Accounts.KeepAsync(cancellationToken);
        }
    }

    public void Dispose()
    {
        foreach (var authority in _authorities.Values.Where(a => a.IsValueCreated))
        {
            authority.Value.Client.Dispose();
        }
    }

    /// <summary>Brings the next attempts of refused accounts and profiles forward, because the configuration changed.</summary>
    public void TryBlockedSoon()
    {
        foreach (var authority in _authorities.Values.Where(a => a.IsValueCreated))
        {
            authority.Value.Blocks.TrySoon();
        }
    }

    private async Task FetchDirectoryAsync(AuthoritySpecification specification, CancellationToken stopping)
    {
        try
        {
            await Get(specification).Client.GetDirectoryAsync(stopping);
        }
        catch (Exception)
        {
            // The order asks again, and its failure is reported.
        }
    }

    private CertificateAuthority Create(AuthoritySpecification specification)
    {
        var client = factory.Create(specification);
        var stored = new StoredAccount(store, specification, time);
        var logger = loggers.CreateLogger<AccountProvider>();
        var blocks = new AccountBlocks(stored, settings, time, logger, () => Lifted?.Invoke());
        return new CertificateAuthority(client, new AccountProvider(client, stored, blocks, time, logger));
    }
}

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
