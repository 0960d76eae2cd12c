using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Server.Kestrel.Core;
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
