using System.Collections.Concurrent;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authorities in use, one for each specification; a changed specification makes a new one, and orders under way keep theirs.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityRegistry(IAuthorityClientFactory factory, CertificateStore store, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<AuthoritySpecification, Lazy<Authority>> _authorities = new();

    public Authority Get(AuthoritySpecification specification)
        => _authorities.GetOrAdd(specification, s => new Lazy<Authority>(() => Create(s), LazyThreadSafetyMode.PublicationOnly)).Value;

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

    private Authority Create(AuthoritySpecification specification)
    {
        var client = factory.Create(specification);
        return new Authority(client, new AccountKeeper(client, new StoredAccount(store, specification, time), time, loggers.CreateLogger<AccountKeeper>()));
    }
}
