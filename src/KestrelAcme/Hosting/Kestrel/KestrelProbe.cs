using System.Net;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>
/// Finds the defaults that Kestrel would apply to an endpoint. Kestrel has setters for its defaults, but no getters. The probe is an
/// endpoint whose configuration throws after the defaults were applied, so that Kestrel drops it.
/// </summary>
internal static class KestrelProbe
{
    private static readonly IPEndPoint Anywhere = new(IPAddress.Loopback, 0);

    [ThreadStatic]
    private static bool _isLooking;

    /// <summary>Whether defaults are being applied to a probe on this thread. They must have no lasting effect.</summary>
    public static bool IsLooking => _isLooking;

    /// <summary>Returns the app's HTTPS defaults, or <see langword="null"/> if they throw.</summary>
    public static HttpsConnectionAdapterOptions? HttpsDefaults(KestrelServerOptions options)
    {
        HttpsConnectionAdapterOptions? seen = null;
        try
        {
            WithoutLoader(options, () => Probe(options, listen => listen.UseHttps(https =>
            {
                seen = https;
                throw new ProbeException();
            })));
        }
        catch (Exception)
        {
            // Kestrel will throw the same for an HTTPS endpoint, if the app has one.
        }

        return seen;
    }

    /// <summary>Returns an endpoint with the app's endpoint defaults, followed by <paramref name="append"/>.</summary>
    public static ListenOptions EndpointDefaults(KestrelServerOptions options, Action<ListenOptions>? append = null)
    {
        ListenOptions? seen = null;
        WithoutLoader(options, () => Probe(options, listen =>
        {
            seen = listen;
            append?.Invoke(listen);
            throw new ProbeException();
        }));
        return seen
            ?? throw new InvalidOperationException("Kestrel no longer applies endpoint defaults before it configures the endpoint.");
    }

    /// <summary>Returns HTTPS options with Kestrel's default certificate, or without a certificate if there is none.</summary>
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
        catch (Exception)
        {
            // Kestrel found no certificate at all, or the app's defaults throw.
        }

        return seen;
    }

    // With the loader, UseHttps would load its endpoints before the app has finished its configuration.
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
            // Expected: the probe is done.
        }
        finally
        {
            _isLooking = false;
        }
    }

    private sealed class ProbeException : Exception;
}
