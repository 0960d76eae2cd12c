using Microsoft.Extensions.Primitives;

namespace KestrelAcme.Certificates;

/// <summary>
/// Provides names that come and go at run time, for example from the application's database. Each name gets a certificate of its own.
/// Implementations MUST be safe for concurrent use.
/// </summary>
/// <remarks>
/// If a source throws, or returns no names after it returned some, KestrelAcme keeps the names that it knows: their certificates stay
/// served and are renewed. A name that cannot get a certificate is logged (event <c>DomainRefused</c>) and ignored.
/// </remarks>
/// <example>
/// <code>
/// builder.Services.AddAcmeHttps().AddDomainSource&lt;TenantDomains&gt;();
///
/// public sealed class TenantDomains(ITenantStore tenants) : IDomainSource
/// {
///     public async Task&lt;IReadOnlyCollection&lt;string&gt;&gt; GetDomainNamesAsync(CancellationToken cancellationToken)
///         =&gt; await tenants.ListHostNamesAsync(cancellationToken);
/// }
///
/// public interface ITenantStore
/// {
///     Task&lt;List&lt;string&gt;&gt; ListHostNamesAsync(CancellationToken cancellationToken);
/// }
/// </code>
/// </example>
public interface IDomainSource
{
    /// <summary>Returns all names that should have a certificate now: DNS names, in Unicode or as A-labels, or IP addresses.</summary>
    /// <param name="cancellationToken">Canceled after 30 seconds, or when the application stops.</param>
    Task<IReadOnlyCollection<string>> GetDomainNamesAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Returns a change token that fires once, at the next change of the names. Without one, KestrelAcme asks for the names every
    /// 10 minutes.
    /// </summary>
    /// <returns>The token; <see langword="null"/>, which is the default, if the source cannot report changes.</returns>
    IChangeToken? GetChangeToken() => null;
}
