using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Reads the endpoint defaults that are set in Kestrel's options.</summary>
/// <param name="read">Reads them; <see langword="null"/> to read Kestrel's own property.</param>
internal sealed class AppEndpointDefaults(Func<KestrelServerOptions, Action<ListenOptions>>? read = null)
{
    private readonly Func<KestrelServerOptions, Action<ListenOptions>> _read = read ?? OfKestrel;

    /// <returns><see langword="null"/> if they cannot be read, because a later version of Kestrel keeps them elsewhere.</returns>
    public Action<ListenOptions>? Read(KestrelServerOptions options)
    {
        try
        {
            return _read(options);
        }
        catch (MissingMethodException)
        {
            return null;
        }
    }

    // Kestrel has no public getter.
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_EndpointDefaults")]
    private static extern Action<ListenOptions> OfKestrel(KestrelServerOptions options);
}

/// <summary>
/// The app's endpoint defaults, to be applied after those of KestrelAcme, if <see cref="AppEndpointDefaults"/> cannot read them.
/// </summary>
/// <remarks>
/// Kestrel does not expose the middleware of an endpoint, but it can build it. The probe's pipeline ends in a step that calls the next
/// delegate, and is built once for each endpoint. The app's defaults run only on the probe, so they see the probe's address.
/// </remarks>
internal sealed class EndpointDefaultsCopy
{
    private readonly Lock _gate = new();
    private readonly HttpProtocols _pristineProtocols;
    private readonly ListenOptions _probe;
    private ConnectionDelegate? _next;

    public EndpointDefaultsCopy(KestrelServerOptions options)
    {
        var pristine = new KestrelServerOptions { ApplicationServices = options.ApplicationServices };
        _pristineProtocols = KestrelProbe.EndpointDefaults(pristine).Protocols;
        _probe = KestrelProbe.EndpointDefaults(options, probe => probe.Use(_ => _next!));
        IsTls = IsHttps(_probe);
    }

    /// <summary>Whether the app's defaults enable TLS.</summary>
    public bool IsTls { get; }

    /// <summary>Whether an endpoint has TLS. Kestrel shows this only in the endpoint's display name.</summary>
    public static bool IsHttps(ListenOptions listen) => listen.ToString()?.StartsWith("https://", StringComparison.Ordinal) == true;

    public void ApplyTo(ListenOptions listen)
    {
        if (_probe.Protocols != _pristineProtocols)
        {
            listen.Protocols = _probe.Protocols;
        }

        listen.DisableAltSvcHeader |= _probe.DisableAltSvcHeader;
        listen.Use(Build);
    }

    private ConnectionDelegate Build(ConnectionDelegate next)
    {
        lock (_gate)
        {
            _next = next;
            return _probe.Build();
        }
    }
}

/// <summary>The app's HTTPS defaults, to be applied before those of KestrelAcme.</summary>
/// <remarks>
/// Only values that differ from Kestrel's are copied, since <c>Kestrel:EndpointDefaults</c> has already been applied to the target.
/// </remarks>
internal sealed class HttpsDefaultsCopy(HttpsConnectionAdapterOptions source)
{
    private readonly HttpsConnectionAdapterOptions _pristine = new();

    public void ApplyTo(HttpsConnectionAdapterOptions target)
    {
        target.ServerCertificate = source.ServerCertificate ?? target.ServerCertificate;
        target.ServerCertificateChain = source.ServerCertificateChain ?? target.ServerCertificateChain;
        target.ServerCertificateSelector = source.ServerCertificateSelector ?? target.ServerCertificateSelector;
        target.ClientCertificateValidation = source.ClientCertificateValidation ?? target.ClientCertificateValidation;
        target.OnAuthenticate = source.OnAuthenticate ?? target.OnAuthenticate;
        target.CheckCertificateRevocation |= source.CheckCertificateRevocation;
        if (source.ClientCertificateMode != _pristine.ClientCertificateMode)
        {
            target.ClientCertificateMode = source.ClientCertificateMode;
        }

        if (source.SslProtocols != _pristine.SslProtocols)
        {
            target.SslProtocols = source.SslProtocols;
        }

        if (source.HandshakeTimeout != _pristine.HandshakeTimeout)
        {
            target.HandshakeTimeout = source.HandshakeTimeout;
        }

#pragma warning disable CS0618 // Obsolete from .NET 11, but an app that uses it must not lose it.
        target.TlsClientHelloBytesCallback = source.TlsClientHelloBytesCallback ?? target.TlsClientHelloBytesCallback;
#pragma warning restore CS0618
    }
}
