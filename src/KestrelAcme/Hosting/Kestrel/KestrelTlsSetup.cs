using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Sets Kestrel's endpoint and HTTPS defaults, and combines them with the app's defaults if the app replaced them.</summary>
/// <remarks>
/// Registered first, so that endpoints that the app opens while it configures Kestrel have these defaults. After that, the app's defaults
/// are combined with them: when options are validated, which is after all that the app does in <c>PostConfigure</c>.
/// </remarks>
internal sealed class KestrelTlsSetup(
    KestrelEndpoints endpoints,
    ITlsSettingsSource settings,
    ClientHelloServices helloServices,
    HttpsEndpointServices httpsServices,
    FallbackCertificate fallback,
    Http3Start http3Start,
    AppEndpointDefaults appDefaults,
    ILogger<KestrelTlsSetup> logger)
    : IConfigureOptions<KestrelServerOptions>, IValidateOptions<KestrelServerOptions>
{
    private readonly bool _isEnabled = settings.Current.IsEnabled;
    private bool _sawEndpointDefaults;
    private bool _sawHttpsDefaults;
    private bool _http3;
    private ListenOptions? _current;
    private KestrelServerOptions? _options;

    public void Configure(KestrelServerOptions options)
    {
        if (_isEnabled)
        {
            options.ConfigureEndpointDefaults(ApplyToEndpoint);
            options.ConfigureHttpsDefaults(ApplyToHttps);
        }
    }

    public ValidateOptionsResult Validate(string? name, KestrelServerOptions options)
    {
        // Otherwise, automatic HTTPS is disabled, or something reads the options without Kestrel.
        if (_isEnabled && options.ApplicationServices is not null)
        {
            _http3 = options.ApplicationServices.GetService<IMultiplexedConnectionListenerFactory>() is not null;
            fallback.Use(_options = options);
            Compose(options);
            endpoints.MarkApplied();
        }

        return ValidateOptionsResult.Skip;
    }

    /// <summary>Adds the ClientHello middleware before an endpoint's TLS.</summary>
    public void ApplyToEndpoint(ListenOptions listen)
    {
        if (!_isEnabled)
        {
            return;
        }

        if (KestrelProbe.IsLooking)
        {
            _sawEndpointDefaults = true;
            return;
        }

        Add(listen, hiddenTls: false);
    }

    /// <summary>Adds KestrelAcme's certificates to an endpoint's HTTPS options.</summary>
    public void ApplyToHttps(HttpsConnectionAdapterOptions https)
    {
        if (!_isEnabled)
        {
            return;
        }

        if (KestrelProbe.IsLooking)
        {
            _sawHttpsDefaults = true;
        }
        else if (HttpsEndpoint.Of(https) is null)
        {
            // Kestrel applies the endpoint defaults first, then the HTTPS defaults: so these options belong to the last endpoint.
            var listen = Interlocked.Exchange(ref _current, null);
            if (listen is null)
            {
                logger.EndpointWithoutPeek();
            }

            endpoints.Add(new HttpsEndpoint(https, httpsServices) { Listen = listen });
        }
    }

    private void Compose(KestrelServerOptions options)
    {
        // First, since the app's endpoint defaults may enable TLS, which needs a certificate.
        var areEndpointDefaultsDone = appDefaults.Read(options) is { } found && Wrap(options, found);
        _sawEndpointDefaults = _sawHttpsDefaults = false;
        var https = KestrelProbe.HttpsDefaults(options);
        if (!_sawHttpsDefaults && https is not null)
        {
            var copy = new HttpsDefaultsCopy(https);
            options.ConfigureHttpsDefaults(target =>
            {
                copy.ApplyTo(target);
                ApplyToHttps(target);
            });
        }

        if (!areEndpointDefaultsDone && !_sawEndpointDefaults)
        {
            var copy = new EndpointDefaultsCopy(options);
            options.ConfigureEndpointDefaults(listen =>
            {
                if (!KestrelProbe.IsLooking)
                {
                    Add(listen, copy.IsTls);
                    copy.ApplyTo(listen);
                }
            });
        }
    }

    // The app's defaults run for each endpoint, since they may depend on its address.
    private bool Wrap(KestrelServerOptions options, Action<ListenOptions> app)
    {
        if (!app.Equals((Action<ListenOptions>)ApplyToEndpoint))
        {
            options.ConfigureEndpointDefaults(listen =>
            {
                if (!KestrelProbe.IsLooking)
                {
                    ApplyToEndpoint(listen);
                    app(listen);
                    if (!EndpointDefaultsCopy.IsHttps(listen))
                    {
                        // Once more, behind what the app may have added there, such as the PROXY protocol. TLS follows.
                        listen.Use(next => Build(listen, next, hiddenTls: false));
                    }
                }
            });
        }

        return true;
    }

    private void Add(ListenOptions listen, bool hiddenTls)
    {
        _current = listen;
        listen.Use(next => Build(listen, next, hiddenTls));

        // An endpoint for HTTP/3 alone has no other pipeline.
        ((IMultiplexedConnectionBuilder)listen).Use(next =>
        {
            endpoints.Settle(http3: listen);
            return next;
        });
    }

    // Called when Kestrel builds the endpoint, after all configuration of the app.
    private ConnectionDelegate Build(ListenOptions listen, ConnectionDelegate next, bool hiddenTls)
    {
        var isHttps = hiddenTls || EndpointDefaultsCopy.IsHttps(listen);
        if (_http3 && isHttps && listen.Protocols.HasFlag(HttpProtocols.Http3))
        {
            endpoints.Settle(http3: listen);
            http3Start.AfterBinding(endpoints.SettleAll);
        }
        else
        {
            endpoints.Settle(http3: null);
        }

        if (!isHttps)
        {
            return next;
        }

        fallback.Refresh();
        var endpoint = endpoints.Find(listen);
        endpoint?.Prepare();
        return new ClientHelloMiddleware(next, endpoint?.HandshakeTimeout, helloServices)
        {
            Endpoint = endpoint,
            IsOfTheApp = endpoint is null && endpoints.AllHaveTheirEndpoint,

            // Only what may wait needs it.
            Sni = helloServices.Selector.OnDemand is null ? null : EndpointSni.Read(_options?.ConfigurationLoader?.Configuration, listen),
        }.OnConnectionAsync;
    }
}

/// <summary>Runs an action after Kestrel has bound HTTP/3 for an endpoint that was just built for TCP.</summary>
/// <remarks>
/// Kestrel refuses to bind HTTP/3 with options that have <c>OnAuthenticate</c>, and checks this only then. TCP reads the property for each
/// handshake, so it is set after the server has started, or, since nothing announces the end of a reload of endpoints, some time after a
/// reload. Until then, TCP clients get the certificate from the selector, without intermediates.
/// </remarks>
internal sealed class Http3Start(IHostApplicationLifetime lifetime, TimeProvider timeProvider) : IDisposable
{
    private static readonly TimeSpan Binding = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();
    private ITimer? _timer;
    private bool _disposed;

    /// <summary>Runs the action after the endpoint is bound.</summary>
    public void AfterBinding(Action action)
    {
        if (!lifetime.ApplicationStarted.IsCancellationRequested)
        {
            lifetime.ApplicationStarted.Register(action);
            return;
        }

        lock (_gate)
        {
            if (!_disposed)
            {
                _timer?.Dispose();
                _timer = timeProvider.CreateTimer(_ => action(), null, Binding, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _timer?.Dispose();
        }
    }
}

/// <summary>Registers TLS and the setup of Kestrel.</summary>
internal static class KestrelTlsServiceCollectionExtensions
{
    /// <summary>
    /// Registers <see cref="ITlsPublisher"/>, and makes Kestrel serve the published certificates. A second call has no effect.
    /// </summary>
    public static IServiceCollection AddKestrelTls(this IServiceCollection services)
    {
        if (services.Any(descriptor => descriptor.ServiceType == typeof(KestrelTlsSetup)))
        {
            return services;
        }

        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.TryAddSingleton<AcmeHttpsMetrics>();
        services.TryAddSingleton<ITlsSettingsSource>(new FixedTlsSettings(new TlsSettings()));
        services.TryAddSingleton<SessionPins>();
        services.TryAddSingleton<CertificateContexts>();
        services.TryAddSingleton<PlaceholderCertificate>();
        services.TryAddSingleton<ReportedNames>();
        services.TryAddSingleton<TlsCertificateTable>();
        services.TryAddSingleton<ITlsPublisher>(static provider => provider.GetRequiredService<TlsCertificateTable>());
        services.TryAddSingleton<ICertificateLoadGate, NoCertificateLoadGate>();
        services.TryAddSingleton<ISharedChallenges, NoSharedChallenges>();
        services.TryAddSingleton<TlsSelector>();
        services.TryAddSingleton<ChallengeResponder>();
        services.TryAddSingleton<ClientHelloServices>();
        services.TryAddSingleton<FallbackCertificate>();
        services.TryAddSingleton<AppCertificateContexts>();
        services.TryAddSingleton<NamelessClients>();
        services.TryAddSingleton<HttpsEndpointServices>();
        services.TryAddSingleton<KestrelEndpoints>();
        services.TryAddSingleton<Http3Start>();
        services.TryAddSingleton<AppEndpointDefaults>();
        services.TryAddSingleton<KestrelTlsSetup>();

        // Before all other services: endpoints that the app opens while it configures Kestrel need these defaults.
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<KestrelServerOptions>>(
            static provider => provider.GetRequiredService<KestrelTlsSetup>()));
        services.AddSingleton<IValidateOptions<KestrelServerOptions>>(
            static provider => provider.GetRequiredService<KestrelTlsSetup>());
        return services;
    }
}
