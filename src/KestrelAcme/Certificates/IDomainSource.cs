using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Certificates;

/// <summary>
/// Names that come and go at run time: from the application's own database, say. Each gets a certificate of its own. Implementations MUST be safe for concurrent use.
/// </summary>
/// <remarks>
/// A source that throws, or that is empty after it was not, changes nothing: certificates that are served stay served and are renewed on. A name that cannot be used is reported and left out.
/// </remarks>
public interface IDomainSource
{
    /// <summary>All names that are wanted now.</summary>
    Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken);

    /// <summary>Tells when the names have changed. Without it they are asked for every 10 minutes.</summary>
    /// <returns>A token that fires once at the next change; <see langword="null"/> when there is no way to tell.</returns>
    IChangeToken? GetChangeToken() => null;
}
