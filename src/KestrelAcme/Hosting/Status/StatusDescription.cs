using System.Reflection;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Hosting.Status;

/// <summary>Describes the status for OpenAPI, if the app uses it.</summary>
internal static class StatusDescription
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

    /// <summary>Lets the generator describe the types of the status in an app without reflection-based serialization (NativeAOT).</summary>
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
