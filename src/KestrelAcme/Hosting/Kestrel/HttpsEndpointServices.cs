using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What the HTTPS options of every endpoint share.</summary>
internal sealed class HttpsEndpointServices(
    TlsSelector selector,
    SessionPins pins,
    FallbackCertificate fallback,
    AppCertificateContexts contexts,
    NamelessClients nameless,
    ILogger<HttpsEndpoint> logger)
{
    public TlsSelector Selector { get; } = selector;

    public SessionPins Pins { get; } = pins;

    public FallbackCertificate Fallback { get; } = fallback;

    public AppCertificateContexts Contexts { get; } = contexts;

    public NamelessClients Nameless { get; } = nameless;

    public ILogger Logger { get; } = logger;
}
