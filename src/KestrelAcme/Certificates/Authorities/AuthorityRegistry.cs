using System.Collections.Concurrent;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authorities in use, one for each specification; a changed specification makes a new one, and orders under way keep theirs.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityRegistry(
    IAuthorityClientFactory factory, CertificateStore store, IssuanceSettings settings, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<AuthoritySpecification, Lazy<CertificateAuthority>> _authorities = new();

    /// <summary>Called when an authority accepts what it had refused, or held, for many names: they need not wait for the time that they were told.</summary>
    public Action? Lifted { get; set; }

    public CertificateAuthority Get(AuthoritySpecification specification)
        => _authorities.GetOrAdd(specification, s => new Lazy<CertificateAuthority>(() => Create(s), LazyThreadSafetyMode.PublicationOnly)).Value;

    /// <summary>
    /// Fetches an authority's directory while Kestrel starts: the first order then finds the connection open and the code compiled. Nothing is
    /// ordered or created, and nothing fails.
    /// </summary>
    public void WarmUp(AuthoritySpecification specification, CancellationToken stopping)
        => _ = Task.Run(() => FetchDirectoryAsync(specification, stopping), CancellationToken.None);

    /// <summary>Stores accounts again that are in use and gone from the store.</summary>
    /// <exception cref="StorageUnavailableException">The store could not be asked, or told.</exception>
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

    /// <summary>Has what authorities refuse tried again soon: the configuration has changed.</summary>
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
        return new CertificateAuthority(client, new AccountProvider(client, stored, new AccountBlocks(stored, settings, time, logger, () => Lifted?.Invoke()), time, logger));
    }
}
