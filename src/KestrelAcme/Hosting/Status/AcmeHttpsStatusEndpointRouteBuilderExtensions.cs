// The namespace where apps look for extension methods of their endpoints.
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Text.Json;
using KestrelAcme.Certificates.Engine;
using KestrelAcme.Diagnostics;
using KestrelAcme.Hosting.Status;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps the status page of automatic HTTPS.</summary>
public static class AcmeHttpsStatusEndpointRouteBuilderExtensions
{
    /// <summary>
    /// Maps a page with the state of each certificate: its lifetime, the next order, the last events, what needs attention, and what to do
    /// about it. Those who are authorized can renew a certificate there. It is HTML that needs no script; the same as JSON for clients that
    /// accept only <c>application/json</c>; and a stream of events for those that accept only <c>text/event-stream</c>. A page has 20
    /// certificates, the most urgent first; the query has <c>page</c> and <c>name</c>.
    /// </summary>
    /// <remarks>
    /// The page has the names of all certificates and the words of the CA, but no secret. Outside Development, a warning is logged if the
    /// endpoint needs no authorization, and nobody can renew a certificate there.
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

        var events = ActivatorUtilities.CreateInstance<StatusEvents>(services);
        var endpoint = new StatusEndpoint(
            ActivatorUtilities.CreateInstance<StatusReader>(services, events),
            ActivatorUtilities.CreateInstance<StatusDemand>(services),
            events,
            ActivatorUtilities.CreateInstance<StatusRenewals>(services),
            services.GetRequiredService<IHostApplicationLifetime>());
        StatusDescription.AddTypes(services);

        // A group, so that conventions apply to all of them. The app's output cache ignores Cache-Control, and lets a request wait for an
        // earlier one, which may be a stream.
        var group = endpoints.MapGroup(pattern);
        group.CacheOutput(static policy => policy.NoCache());
        var page = group.MapGet("", endpoint.RespondAsync).WithDisplayName("KestrelAcme status");
        StatusDescription.Describe(page);
        page.Finally(built => WarnIfOpen(built, pattern, endpoint, services));
        group.MapMethods("", [HttpMethods.Head], endpoint.RespondAsync).WithDisplayName("KestrelAcme status").ExcludeFromDescription();
        group.MapPost("", endpoint.RenewAsync).WithDisplayName("KestrelAcme status: renew").ExcludeFromDescription();
        group.MapGet(StatusEndpoint.ScriptName, StatusEndpoint.RespondWithScriptAsync)
            .WithDisplayName("KestrelAcme status: script")
            .ExcludeFromDescription();
        return group;
    }

    // Called whenever the endpoint is built, after all conventions, which may be those of a group.
    private static void WarnIfOpen(EndpointBuilder built, string pattern, StatusEndpoint endpoint, IServiceProvider services)
    {
        if (!endpoint.HasWarned
            && StatusEndpoint.IsOpen(built.Metadata, services)
            && services.GetService<IHostEnvironment>()?.IsDevelopment() != true)
        {
            endpoint.HasWarned = true;
            services.GetRequiredService<ILogger<StatusEndpoint>>().StatusPageOpen(pattern);
        }
    }

    /// <summary>Describes the status for OpenAPI, if the app uses it.</summary>
    private static class StatusDescription
    {
        /// <summary>Adds what the document generator of ASP.NET Core looks for.</summary>
        public static void Describe(IEndpointConventionBuilder endpoint) => endpoint
            .WithSummary("Certificates")
            .WithDescription(
                "The state of the certificates of the app, the most urgent first, 20 on a page. With `Accept: text/html` it is a page for "
                + "people. With `Accept: text/event-stream` it is a stream of the events of certificates as they happen.")
            .WithTags("Certificates")
            .Add(static built =>
            {
                // What a route handler delegate would have: see the remarks of Query.
                var query = ((Delegate)Query).Method;
                built.Metadata.Add(query);
                foreach (var parameter in query.GetParameters())
                {
                    built.Metadata.Add(new Parameter(parameter));
                }

                built.Metadata.Add(new ProducesResponseTypeMetadata(StatusCodes.Status200OK, typeof(StatusReport), [StatusEndpoint.Json]));
            });

        /// <summary>Lets the generator describe the types of the status without reflection-based serialization (NativeAOT).</summary>
        public static void AddTypes(IServiceProvider services)
        {
            if (!JsonSerializer.IsReflectionEnabledByDefault
                && services.GetService<IOptions<JsonOptions>>()?.Value.SerializerOptions is { IsReadOnly: false } options)
            {
                options.TypeInfoResolverChain.Add(StatusJsonContext.Default);
            }
        }

        /// <summary>The parameters of the query.</summary>
        /// <remarks>Never called: the endpoint is a request delegate, whose parameters nobody could know.</remarks>
        private static void Query(
            [FromQueryName("name")] string? name, [FromQueryName("page")] int? page)
        {
        }

        private sealed class Parameter(ParameterInfo parameter) : IParameterBindingMetadata
        {
            public string Name => parameter.Name!;

            public bool HasTryParse => parameter.ParameterType != typeof(string);

            public bool HasBindAsync => false;

            public ParameterInfo ParameterInfo => parameter;

            public bool IsOptional => true;
        }

        [AttributeUsage(AttributeTargets.Parameter)]
        private sealed class FromQueryNameAttribute(string name) : Attribute, IFromQueryMetadata
        {
            public string? Name => name;
        }
    }
}
