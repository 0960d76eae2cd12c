using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>Adds KestrelAcme's certificates to the HTTPS options of an endpoint. Settings of the app, before or after, are kept.</summary>
/// <remarks>
/// The certificate selector makes Kestrel accept an endpoint without a certificate, and serves if nothing else can. Usually
/// <c>OnAuthenticate</c> replaces it with a cached context, since with only a selector .NET sends no intermediates and builds the chain for
/// each handshake.
/// </remarks>
internal sealed class HttpsEndpoint
{
    // The longest time that a timer accepts. Kestrel stores an infinite time-out as TimeSpan.MaxValue.
    private static readonly TimeSpan LongestTimeout = TimeSpan.FromMilliseconds(int.MaxValue);

    private readonly HttpsConnectionAdapterOptions _options;
    private readonly HttpsEndpointServices _services;
    private readonly Func<ConnectionContext?, string?, X509Certificate2?> _selector;
    private readonly Func<ConnectionContext?, string?, X509Certificate2?>? _appSelector;
    private Action<ConnectionContext, SslServerAuthenticationOptions>? _appAuthenticate;
    private Action<ConnectionContext, SslServerAuthenticationOptions>? _installed;
    private X509Certificate2? _defaultCertificate;

    public HttpsEndpoint(HttpsConnectionAdapterOptions options, HttpsEndpointServices services)
    {
        _options = options;
        _services = services;
        _defaultCertificate = options.ServerCertificate;
        _appSelector = options.ServerCertificateSelector;
        options.ServerCertificateSelector = _selector = Select;
        Install(options.OnAuthenticate);
    }

    /// <summary>The endpoint, if it is known.</summary>
    public ListenOptions? Listen { get; init; }

    /// <summary>Whether KestrelAcme serves the endpoint: the app gave it no certificate and no selector of its own.</summary>
    public bool IsOurs => Own is null && _options.ServerCertificateSelector == _selector;

    /// <summary>The endpoint's time-out for handshakes.</summary>
    public TimeSpan HandshakeTimeout => _options.HandshakeTimeout < LongestTimeout ? _options.HandshakeTimeout : LongestTimeout;

    /// <summary>Whether <see cref="UseSelectorOnly"/> is in effect.</summary>
    public bool IsSelectorOnly { get; private set; }

    // The certificate that the app set only for this endpoint.
    private AppCertificate? Own =>
        _options.ServerCertificate is { } certificate && !ReferenceEquals(certificate, _defaultCertificate)
            ? new AppCertificate(certificate, _options.ServerCertificateChain)
            : null;

    // The certificate for names that KestrelAcme does not manage.
    private AppCertificate? Fallback =>
        _defaultCertificate is { } certificate
            ? new AppCertificate(certificate, _options.ServerCertificateChain)
            : _services.Fallback.Current;

    /// <summary>Returns the endpoint of HTTPS options that were set up before; otherwise <see langword="null"/>.</summary>
    public static HttpsEndpoint? Of(HttpsConnectionAdapterOptions options) =>
        options.ServerCertificateSelector?.Target as HttpsEndpoint;

    /// <summary>
    /// Makes the current certificate of the options a fallback, because the app explicitly requested KestrelAcme's certificates.
    /// </summary>
    public void Claim() => _defaultCertificate = _options.ServerCertificate;

    /// <summary>
    /// Creates the context of the app's own certificate, as Kestrel does before it listens. Missing intermediates may be downloaded.
    /// </summary>
    public void Prepare()
    {
        if ((Own ?? Fallback) is { } certificate)
        {
            _services.Contexts.Prepare(certificate);
        }
    }

    /// <summary>Wraps an <c>OnAuthenticate</c> that the app set later. Kestrel reads the property for each handshake.</summary>
    public void Settle()
    {
        IsSelectorOnly = false;
        if (_options.OnAuthenticate != _installed)
        {
            Install(_options.OnAuthenticate);
        }
    }

    /// <summary>
    /// Removes the <c>OnAuthenticate</c> of KestrelAcme, with which Kestrel refuses to bind HTTP/3. Certificates then come from the
    /// selector.
    /// </summary>
    public void UseSelectorOnly()
    {
        if (_options.OnAuthenticate == _installed)
        {
            _options.OnAuthenticate = _appAuthenticate;
        }

        IsSelectorOnly = true;
    }

    // A new delegate each time, since the app's delegate may hold the previous one and call it.
    private void Install(Action<ConnectionContext, SslServerAuthenticationOptions>? app)
    {
        _appAuthenticate = app;
        _options.OnAuthenticate = _installed = (connection, ssl) =>
        {
            var before = ssl.ServerCertificateSelectionCallback;
            app?.Invoke(connection, ssl);
            Authenticate(connection, ssl, ssl.ServerCertificateSelectionCallback is { } after && after != before);
        };
    }

    private void Authenticate(ConnectionContext connection, SslServerAuthenticationOptions ssl, bool isSelectedByApp)
    {
        if (isSelectedByApp || ssl.ServerCertificateContext is not null || _options.ServerCertificateSelector != _selector)
        {
            // The certificate of an Sni section, or the app's own context, callback or selector.
            Count(connection.Features.Get<TlsSelection>(), HandshakeSource.App);
            return;
        }

        var selection = connection.Features.Get<TlsSelection>();
        if (Own is { } own)
        {
            Count(selection, HandshakeSource.App);
            Serve(ssl, _services.Contexts.Get(own));
        }
        else if (selection is not null)
        {
            Apply(connection, ssl, selection);
        }
    }

    private void Apply(ConnectionContext connection, SslServerAuthenticationOptions ssl, TlsSelection selection)
    {
        if (selection.Outcome == TlsOutcome.Certificate)
        {
            Serve(ssl, selection);
        }
        else if (selection.Outcome is not (TlsOutcome.Foreign or TlsOutcome.Nameless))
        {
            throw Refuse(connection, selection);
        }
        else if (_appSelector is not null)
        {
            Count(selection, HandshakeSource.App);

            // With Sni sections, it was called already, and the options have its result.
            ssl.ServerCertificateSelectionCallback = ssl.ServerCertificateSelectionCallback is null
                ? null
                : (_, name) => _appSelector(connection, name)!;
        }
        else if (Fallback is { } fallback)
        {
            Count(selection, HandshakeSource.Fallback);
            Serve(ssl, _services.Contexts.Get(fallback));
        }
        else if (selection.Context is not null)
        {
            Serve(ssl, selection);
        }
        else
        {
            if (selection.Outcome == TlsOutcome.Nameless)
            {
                _services.Nameless.Refused(connection.RemoteEndPoint);
            }

            throw Refuse(connection, selection);
        }
    }

    private AuthenticationException Refuse(ConnectionContext connection, TlsSelection selection)
    {
        Count(selection, HandshakeSource.Refused);
        return HandshakeRefusal.Refuse(connection, selection, _services.Logger);
    }

    private void Serve(SslServerAuthenticationOptions ssl, TlsSelection selection)
    {
        var served = selection.For(ssl);
        Count(selection, SourceOf(served));
        Serve(ssl, served.Context!);
        if (served.Entry is { } entry)
        {
            _services.Pins.Offer(entry, ssl);
        }
    }

    private static void Serve(SslServerAuthenticationOptions ssl, SslStreamCertificateContext context)
    {
        ssl.ServerCertificateSelectionCallback = null;
        ssl.ServerCertificate = null;
        ssl.ServerCertificateContext = context;
    }

    // Used if the ClientHello was not read first, for Sni sections (which pass the name here, but not to OnAuthenticate), and for HTTP/3.
    private X509Certificate2? Select(ConnectionContext? connection, string? serverName)
    {
        var (certificate, source) = Select(connection, serverName, connection?.Features.Get<TlsSelection>());
        Count(connection?.Features.Get<TlsSelection>(), certificate is null ? HandshakeSource.Refused : source);
        return certificate;
    }

    private (X509Certificate2? Certificate, HandshakeSource Source) Select(
        ConnectionContext? connection, string? serverName, TlsSelection? seen)
    {
        if (Own is { } own)
        {
            return (own.Certificate, HandshakeSource.App);
        }

        var localAddress = connection is null ? null : ClientHelloMiddleware.LocalAddress(connection);
        var selection = seen ?? _services.Selector.Select(serverName, localAddress);
        if (seen is null)
        {
            connection?.Features.Set(selection);
        }

        if (selection.Outcome is not (TlsOutcome.Foreign or TlsOutcome.Nameless))
        {
            return (selection.Context?.TargetCertificate, SourceOf(selection));
        }

        if (_appSelector is not null)
        {
            return (_appSelector(connection, serverName), HandshakeSource.App);
        }

        if (Fallback is { } fallback)
        {
            return (fallback.Certificate, HandshakeSource.Fallback);
        }

        if (selection.Context is null && selection.Outcome == TlsOutcome.Nameless && seen is null)
        {
            _services.Nameless.Refused(connection?.RemoteEndPoint);
        }

        return (selection.Context?.TargetCertificate, SourceOf(selection));
    }

    // Kestrel may ask both for a certificate and for the options, and the app may call an earlier OnAuthenticate.
    private void Count(TlsSelection? selection, HandshakeSource source)
    {
        if (selection is not { IsCounted: true })
        {
            selection?.IsCounted = true;
            _services.Metrics.Handshake(source);
        }
    }

    private static HandshakeSource SourceOf(TlsSelection served)
        => served.Entry is null ? HandshakeSource.Placeholder : HandshakeSource.Managed;
}

/// <summary>The services that the HTTPS options of all endpoints share.</summary>
internal sealed class HttpsEndpointServices(
    TlsSelector selector,
    SessionPins pins,
    FallbackCertificate fallback,
    AppCertificateContexts contexts,
    NamelessClients nameless,
    AcmeHttpsMetrics metrics,
    ILogger<HttpsEndpoint> logger)
{
    public TlsSelector Selector { get; } = selector;

    public SessionPins Pins { get; } = pins;

    public FallbackCertificate Fallback { get; } = fallback;

    public AppCertificateContexts Contexts { get; } = contexts;

    public NamelessClients Nameless { get; } = nameless;

    public AcmeHttpsMetrics Metrics { get; } = metrics;

    public ILogger Logger { get; } = logger;
}
