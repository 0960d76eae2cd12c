using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;

// The namespace of UseHttps.
#pragma warning disable IDE0130
namespace Microsoft.AspNetCore.Hosting;

/// <summary>Opens HTTPS endpoints in code that serve the certificates of KestrelAcme.</summary>
public static class ListenOptionsAcmeExtensions
{
    /// <summary>Makes this an HTTPS endpoint with the certificates of <c>AddAcmeHttps</c>, regardless of the app's defaults.</summary>
    /// <param name="listenOptions">The endpoint.</param>
    /// <returns>The endpoint.</returns>
    /// <exception cref="InvalidOperationException"><c>AddAcmeHttps</c> was not called.</exception>
    public static ListenOptions UseAcmeHttps(this ListenOptions listenOptions)
    {
        ArgumentNullException.ThrowIfNull(listenOptions);
        var services = listenOptions.ApplicationServices;
        var setup = services.GetService<KestrelTlsSetup>()
            ?? throw new InvalidOperationException(
                "UseAcmeHttps needs the services of AddAcmeHttps: call builder.Services.AddAcmeHttps() first.");
        setup.ApplyToEndpoint(listenOptions);
        return listenOptions.UseHttps(https => https.UseAcmeHttps(services));
    }
}

/// <summary>Serves certificates of KestrelAcme with HTTPS options that an app sets in code.</summary>
public static class HttpsConnectionAdapterOptionsAcmeExtensions
{
    /// <summary>
    /// Serves the certificates of <c>AddAcmeHttps</c> with these options. Rarely needed, since <c>AddAcmeHttps</c> does so for every HTTPS
    /// endpoint.
    /// </summary>
    /// <remarks>
    /// Needed if one callback replaces Kestrel's HTTPS defaults and then opens an endpoint. Call it last: earlier settings, such as client
    /// certificates and <c>OnAuthenticate</c>, are kept. A certificate that was set before is served for names that KestrelAcme does not
    /// manage.
    /// </remarks>
    /// <param name="options">The options of the endpoint, or the defaults of all endpoints.</param>
    /// <param name="services">
    /// The app's services, such as <c>listenOptions.ApplicationServices</c> or <c>kestrelOptions.ApplicationServices</c>.
    /// </param>
    /// <returns>The options.</returns>
    /// <exception cref="InvalidOperationException"><c>AddAcmeHttps</c> was not called.</exception>
    public static HttpsConnectionAdapterOptions UseAcmeHttps(this HttpsConnectionAdapterOptions options, IServiceProvider services)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        var setup = services.GetService<KestrelTlsSetup>()
            ?? throw new InvalidOperationException(
                "UseAcmeHttps needs the services of AddAcmeHttps: call builder.Services.AddAcmeHttps() first.");
        setup.ApplyToHttps(options);
        HttpsEndpoint.Of(options)?.Claim();
        return options;
    }
}
