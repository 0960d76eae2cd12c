using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// Sees what Kestrel would apply to an endpoint. Kestrel has setters for its defaults and no getters; an endpoint whose configuration throws is
/// dropped again, after it has shown them.
/// </summary>
internal static class KestrelProbe
{
    private static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    [ThreadStatic]
    private static bool _isLooking;

    /// <summary>Whether defaults are being applied to a probe on this thread: nothing is to be kept of it.</summary>
    public static bool IsLooking => _isLooking;

    /// <summary>The app's HTTPS defaults; <see langword="null"/> when they throw by themselves.</summary>
    public static HttpsConnectionAdapterOptions? HttpsDefaults(KestrelServerOptions options)
    {
        HttpsConnectionAdapterOptions? seen = null;
        WithoutLoader(options, () => Probe(options, listen => listen.UseHttps(https =>
        {
            seen = https;
            throw new ProbeException();
        })));
        return seen;
    }

    /// <summary>An endpoint that has the app's endpoint defaults, and what is appended to them.</summary>
    public static ListenOptions EndpointDefaults(KestrelServerOptions options, Action<ListenOptions>? append = null)
    {
        ListenOptions? seen = null;
        WithoutLoader(options, () => Probe(options, listen =>
        {
            seen = listen;
            append?.Invoke(listen);
            throw new ProbeException();
        }));
        return seen ?? throw new InvalidOperationException("Kestrel no longer applies its endpoint defaults before the endpoint is configured.");
    }

    /// <summary>HTTPS options with the certificate that Kestrel falls back to; without one where there is none.</summary>
    public static HttpsConnectionAdapterOptions? DefaultCertificate(KestrelServerOptions options)
    {
        HttpsConnectionAdapterOptions? seen = null;
        try
        {
            Probe(options, listen =>
            {
                listen.UseHttps(https =>
                {
                    https.ServerCertificate = null;
                    https.ServerCertificateSelector = null;
                    seen = https;
                });
                throw new ProbeException();
            });
        }
        catch (InvalidOperationException)
        {
            // Kestrel found no certificate at all.
        }

        return seen;
    }

    // With the loader in place, UseHttps would load its endpoints before the app is done configuring.
    private static void WithoutLoader(KestrelServerOptions options, Action probe)
    {
        var loader = options.ConfigurationLoader;
        options.ConfigurationLoader = null;
        try
        {
            probe();
        }
        finally
        {
            options.ConfigurationLoader = loader;
        }
    }

    private static void Probe(KestrelServerOptions options, Action<ListenOptions> look)
    {
        _isLooking = true;
        try
        {
            options.Listen(Anywhere, look);
        }
        catch (ProbeException)
        {
            // The look was taken.
        }
        finally
        {
            _isLooking = false;
        }
    }

    private sealed class ProbeException : Exception;
}
