using KestrelAcme.Tls;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>What the connection middleware of every endpoint shares.</summary>
internal sealed class ClientHelloServices(
    ITlsSettingsSource settings, TlsSelector selector, ChallengeResponder challenges, TimeProvider timeProvider, ILogger<ClientHelloMiddleware> logger)
{
    public ITlsSettingsSource Settings { get; } = settings;

    public TlsSelector Selector { get; } = selector;

    public ChallengeResponder Challenges { get; } = challenges;

    public TimeProvider TimeProvider { get; } = timeProvider;

    public ILogger Logger { get; } = logger;
}
