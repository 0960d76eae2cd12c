using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

// Where people look for UseHttps.
#pragma warning disable IDE0130
namespace Microsoft.AspNetCore.Hosting;

/// <summary>Lets HTTPS options that an app sets by hand serve certificates obtained over ACME.</summary>
public static class HttpsConnectionAdapterOptionsAcmeExtensions
{
    /// <summary>Serves the certificates of <c>AddAcmeHttps</c> with these options. Rarely needed: <c>AddAcmeHttps</c> does so for every HTTPS endpoint.</summary>
    /// <remarks>
    /// Needed where one callback replaces Kestrel's HTTPS defaults and opens an endpoint right after. Call it last; settings made before, client certificates and
    /// <c>OnAuthenticate</c> among them, are kept. A certificate set before is served for names that are not managed.
    /// </remarks>
    /// <param name="options">The options of the endpoint, or the defaults of all.</param>
    /// <param name="services">The app's services, such as <c>listenOptions.ApplicationServices</c> or <c>kestrelOptions.ApplicationServices</c>.</param>
    /// <returns>The options.</returns>
    /// <exception cref="InvalidOperationException"><c>AddAcmeHttps</c> was not called.</exception>
    public static HttpsConnectionAdapterOptions UseAcmeHttps(this HttpsConnectionAdapterOptions options, IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        var setup = services.GetService<KestrelTlsSetup>()
            ?? throw new InvalidOperationException("UseAcmeHttps needs the services of AddAcmeHttps: call builder.Services.AddAcmeHttps() first.");
        setup.ApplyToHttps(options);
        HttpsEndpoint.Of(options)?.Claim();
        return options;
    }
}
