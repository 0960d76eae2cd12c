using KestrelAcme.Certificates;
using KestrelAcme.Yarp;
using Yarp.ReverseProxy;
using Yarp.ReverseProxy.Configuration;

// The namespace in which ASP.NET Core apps look for registration methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Obtains certificates for the hosts of YARP's routes.</summary>
public static class YarpBuilderExtensions
{
    /// <summary>
    /// Obtains a certificate for each host that a route of YARP names (<c>Match:Hosts</c>), and follows the routes: a host that is added
    /// gets a certificate within seconds, without a restart.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Ports are ignored. A host such as <c>*.example.com</c> needs the challenge dns-01. A host that cannot get a certificate from the
    /// configured authority is logged (event <c>DomainRefused</c>) and ignored. A route without hosts names none. The metadata
    /// <c>"AcmeHttps": "false"</c> exempts a route.
    /// </para>
    /// <para>
    /// The app also calls <c>AddReverseProxy</c> and <c>MapReverseProxy</c>. Requests for <c>/.well-known/acme-challenge/</c> that are
    /// not KestrelAcme's own are proxied as usual. Calling this method again changes nothing.
    /// </para>
    /// </remarks>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    /// <example>
    /// <code>
    /// builder.Services.AddReverseProxy().LoadFromConfig(builder.Configuration.GetSection("ReverseProxy"));
    /// builder.Services.AddAcmeHttps().AddDomainsFromYarp();
    /// </code>
    /// </example>
    public static IAcmeHttpsBuilder AddDomainsFromYarp(this IAcmeHttpsBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Services.Any(s => s.ServiceType == typeof(YarpDomainSource)))
        {
            return builder;
        }

        // YARP's routes are asked for late: its configuration manager is given the listeners when it is made.
        builder.Services.AddSingleton(services => new YarpDomainSource(() => services.GetService<IProxyStateLookup>()?.GetRoutes()));
        builder.Services.AddSingleton<IDomainSource>(services => services.GetRequiredService<YarpDomainSource>());
        builder.Services.AddSingleton<IConfigChangeListener>(services => services.GetRequiredService<YarpDomainSource>());
        return builder;
    }
}
