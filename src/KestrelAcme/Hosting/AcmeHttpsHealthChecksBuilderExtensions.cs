using KestrelAcme.Certificates.Engine;
using KestrelAcme.Hosting;
using Microsoft.Extensions.Diagnostics.HealthChecks;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the health check of automatic HTTPS.</summary>
public static class AcmeHttpsHealthChecksBuilderExtensions
{
    /// <summary>
    /// Adds a health check of the certificates, with the tag <c>acme</c>. It reports <see cref="HealthStatus.Degraded"/> if a served
    /// certificate has expired, a configured name has no certificate, a renewal is late by more than a twentieth of the certificate's
    /// lifetime, an order waits for an operator, or the store is not available. Its data lists up to 100 certificates, those that need
    /// attention first.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Do not use it as a readiness or liveness probe, and give it no tag that selects checks for one. A pod that is not ready because it
    /// has no certificate gets no traffic, so it can never answer the CA's challenge and never becomes ready. One expired certificate would
    /// take all replicas out of service, and a restart renews nothing. Map an endpoint of its own for monitoring, and select the checks of
    /// probes by another tag.
    /// </para>
    /// <para>The check reads nothing and waits for nothing: it reports what KestrelAcme saw last.</para>
    /// </remarks>
    /// <example>
    /// <code>
    /// builder.Services.AddHealthChecks().AddAcmeHttps();
    /// app.MapHealthChecks("/health/ready", new() { Predicate = check =&gt; check.Tags.Contains("ready") });
    /// app.MapHealthChecks("/health/acme", new() { Predicate = check =&gt; check.Tags.Contains("acme") });
    /// </code>
    /// </example>
    /// <param name="builder">The builder, from <c>services.AddHealthChecks()</c>.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">
    /// What to report if something needs attention.
    /// <value><see langword="null"/> for <see cref="HealthStatus.Degraded"/>.</value>
    /// </param>
    /// <param name="tags">Tags beside <c>acme</c>.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">A check of this name was added before (thrown at the first check).</exception>
    public static IHealthChecksBuilder AddAcmeHttps(
        this IHealthChecksBuilder builder,
        string name = "acme-https",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrEmpty(name);
        return builder.Add(new HealthCheckRegistration(name, Create, failureStatus ?? HealthStatus.Degraded, ["acme", .. tags ?? []]));
    }

    private static CertificateHealthCheck Create(IServiceProvider provider)
        => provider.GetService<CertificateEngine>() is not null
            ? ActivatorUtilities.CreateInstance<CertificateHealthCheck>(provider)
            : throw new InvalidOperationException(
                "The health check of automatic HTTPS needs its services: call builder.Services.AddAcmeHttps().");
}
