using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Diagnostics;
using KestrelAcme.Hosting.Status;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

// The namespace where apps look for extension methods of their endpoints.
namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the status page of automatic HTTPS.</summary>
public static class AcmeHttpsStatusEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps a page with the state of each certificate: its lifetime, the next order, and what needs attention and why. It is HTML without
    /// scripts, and JSON for clients that accept only <c>application/json</c>. A page has 25 certificates, those that need attention first;
    /// the query has <c>page</c> and <c>name</c>.
    /// </summary>
    /// <remarks>
    /// The page has the names of all certificates and the words of the CA, but no secret. Outside Development, a warning is logged if the
    /// endpoint needs no authorization.
    /// </remarks>
    /// <param name="endpoints">The app.</param>
    /// <param name="pattern">The path.</param>
    /// <returns>A builder for conventions, such as <c>RequireAuthorization()</c>.</returns>
    /// <exception cref="InvalidOperationException">The services of automatic HTTPS were not added.</exception>
    /// <example>
    /// <code>
    /// app.MapAcmeHttpsStatus("/acme-status").RequireAuthorization();
    /// </code>
    /// </example>
    public static IEndpointConventionBuilder MapAcmeHttpsStatus(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern = "/acme-status")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentException.ThrowIfNullOrEmpty(pattern);
        var services = endpoints.ServiceProvider;
        if (services.GetService<CertificateEngine>() is null)
        {
            throw new InvalidOperationException(
                "The status page of automatic HTTPS needs its services: call builder.Services.AddAcmeHttps().");
        }

        var endpoint = new StatusEndpoint(ActivatorUtilities.CreateInstance<StatusReader>(services));
        var mapped = endpoints.MapMethods(pattern, [HttpMethods.Get, HttpMethods.Head], endpoint.RespondAsync)
            .WithDisplayName("KestrelAcme status");
        mapped.Finally(built => WarnIfOpen(built, pattern, endpoint, services));
        return mapped;
    }

    // Called whenever the endpoint is built, after all conventions, which may be those of a group.
    private static void WarnIfOpen(EndpointBuilder built, string pattern, StatusEndpoint endpoint, IServiceProvider services)
    {
        var isOpen = built.Metadata.Any(m => m is IAllowAnonymous)
            || (!built.Metadata.Any(m => m is IAuthorizeData or AuthorizationPolicy)
                && services.GetService<IOptions<AuthorizationOptions>>()?.Value.FallbackPolicy is null);
        if (isOpen && !endpoint.HasWarned && services.GetService<IHostEnvironment>()?.IsDevelopment() != true)
        {
            endpoint.HasWarned = true;
            services.GetRequiredService<ILogger<StatusEndpoint>>().StatusPageOpen(pattern);
        }
    }
}
