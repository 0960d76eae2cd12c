using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>The app's endpoint defaults, to be applied behind ours.</summary>
/// <remarks>
/// Kestrel does not list an endpoint's middleware, but it builds it: the probe's pipeline ends in a step that stands for whatever comes next, and is
/// built once per endpoint. The app's defaults ran on the probe only: what they decide by the endpoint's address is decided by the probe's.
/// </remarks>
internal sealed class EndpointDefaultsCopy
{
    private readonly Lock _gate = new();
    private readonly HttpProtocols _pristineProtocols;
    private readonly ListenOptions _probe;
    private ConnectionDelegate? _next;

    public EndpointDefaultsCopy(KestrelServerOptions options)
    {
        _pristineProtocols = KestrelProbe.EndpointDefaults(new KestrelServerOptions { ApplicationServices = options.ApplicationServices }).Protocols;
        _probe = KestrelProbe.EndpointDefaults(options, probe => probe.Use(_ => _next!));
        IsTls = IsHttps(_probe);
    }

    /// <summary>Whether the app's defaults turn TLS on.</summary>
    public bool IsTls { get; }

    /// <summary>Whether an endpoint has TLS. Kestrel says so in its display name only.</summary>
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
