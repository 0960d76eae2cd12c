using System.Diagnostics.CodeAnalysis;
using System.Net;
using KestrelAcme.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Certificates;

/// <summary>
/// Decides which names get a certificate on demand, while their first visitor waits. Implementations MUST be safe for concurrent use.
/// Anybody can make a client ask for any name: a permission that allows names it does not know uses up the rate limits of the CA.
/// </summary>
/// <remarks>
/// <para>
/// Configured names, and those of <see cref="ICertificateManager"/> and <see cref="IDomainSource"/>, are never asked about. All others are
/// asked about before their first order, before a stored certificate is served for the first time after a start, before each renewal, and
/// about once an hour while they are visited.
/// </para>
/// <para>An exception, or no result within 10 seconds, counts as <see cref="IssuanceDecision.Unknown"/>.</para>
/// </remarks>
/// <example>
/// <code>
/// builder.Services.AddAcmeHttps().AddOnDemand&lt;TenantPermission&gt;();
///
/// public sealed class TenantPermission : IIssuancePermission
/// {
///     public async ValueTask&lt;IssuanceDecision&gt; AskAsync(
///         string domainName, IssuanceContext context, CancellationToken cancellationToken)
///     {
///         var tenants = context.Services.GetRequiredService&lt;ITenantNames&gt;();
///         return await tenants.ExistsAsync(domainName, cancellationToken) ? IssuanceDecision.Allow() : IssuanceDecision.Deny();
///     }
/// }
///
/// public interface ITenantNames
/// {
///     Task&lt;bool&gt; ExistsAsync(string domainName, CancellationToken cancellationToken);
/// }
/// </code>
/// </example>
[SuppressMessage("Naming", "CA1711:Identifiers should not have incorrect suffix", Justification = "It is not one of code access security.")]
public interface IIssuancePermission
{
    /// <summary>Decides about a name.</summary>
    /// <param name="domainName">The name: A-labels in lower case, without a trailing dot; or an IP address.</param>
    /// <param name="context">The circumstances, and services of a scope of its own.</param>
    /// <param name="cancellationToken">Canceled after 10 seconds, or when the application stops.</param>
    ValueTask<IssuanceDecision> AskAsync(string domainName, IssuanceContext context, CancellationToken cancellationToken);
}

/// <summary>The settings of a certificate that is issued on demand.</summary>
public sealed record OnDemandCertificate
{
    /// <summary>The names of the certificate, at most 100, with the one that was asked for.</summary>
    /// <value>Empty: only the name that was asked for.</value>
    public IReadOnlyList<string> DomainNames { get; init; } = [];

    /// <summary>The challenge types to use, in order of preference.</summary>
    /// <value><see langword="null"/>: <see cref="AcmeHttpsOptions.ChallengeTypes"/>.</value>
    public IReadOnlyList<string>? ChallengeTypes { get; init; }

    /// <summary>The types of key. KestrelAcme obtains one certificate for each.</summary>
    /// <value><see langword="null"/>: those of <see cref="AcmeHttpsOptions"/>.</value>
    public IReadOnlyList<KeyAlgorithm>? KeyAlgorithms { get; init; }

    /// <summary>The certificate profile to request.</summary>
    /// <value>None: that of the CA.</value>
    public string? Profile { get; init; }

    /// <summary>The common name of the root that the chain should lead to, if the CA offers several chains.</summary>
    /// <value>None: that of the CA.</value>
    public string? PreferredChain { get; init; }

    /// <summary>The only CA to order from: one of the configured ones, as its <c>DirectoryUrl</c> is written there.</summary>
    /// <value>None: all that are configured, in their order.</value>
    public string? DirectoryUrl { get; init; }
}

/// <summary>The circumstances in which a permission is asked.</summary>
public sealed class IssuanceContext
{
    private readonly IServiceScopeFactory _scopes;
    private AsyncServiceScope? _scope;

    internal IssuanceContext(IServiceScopeFactory scopes) => _scopes = scopes;

    /// <summary>The address of the client whose connection waits.</summary>
    /// <value><see langword="null"/> if no connection waits, as before a renewal.</value>
    public IPAddress? ClientAddress { get; init; }

    /// <summary>Whether a certificate for the name is stored already.</summary>
    public bool HasCertificate { get; init; }

    /// <summary>Services of a scope that ends with the call, such as the application's database context.</summary>
    public IServiceProvider Services => (_scope ??= _scopes.CreateAsyncScope()).ServiceProvider;

    internal ValueTask EndAsync() => _scope?.DisposeAsync() ?? ValueTask.CompletedTask;
}
