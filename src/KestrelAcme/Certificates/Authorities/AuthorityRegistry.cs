using System.Collections.Concurrent;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Authorities;

/// <summary>The authorities in use, one for each specification; a changed specification makes a new one, and orders under way keep theirs.</summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class AuthorityRegistry(IAuthorityClientFactory factory, CertificateStore store, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ConcurrentDictionary<AuthoritySpecification, Lazy<Authority>> _authorities = new();

    public Authority Get(AuthoritySpecification specification)
        => _authorities.GetOrAdd(specification, s => new Lazy<Authority>(() => Create(s), LazyThreadSafetyMode.PublicationOnly)).Value;

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
        return new Authority(client, new AccountKeeper(client, store, time, loggers.CreateLogger<AccountKeeper>()));
    }
}
