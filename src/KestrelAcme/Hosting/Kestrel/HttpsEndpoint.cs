using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Hosting.Kestrel;

/// <summary>One endpoint's HTTPS options with ours laid over them. What the app sets, before or after, stays.</summary>
/// <remarks>
/// The selector makes Kestrel accept an endpoint without a certificate, and serves where nothing else can: <c>OnAuthenticate</c> replaces it by a cached context,
/// because a selector alone makes .NET send the leaf only and build the chain anew for each handshake.
/// </remarks>
internal sealed class HttpsEndpoint
{
    // What a timer can take; Kestrel keeps an infinite one as the longest there is.
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

    /// <summary>The endpoint, where it is known.</summary>
    public ListenOptions? Listen { get; init; }

    /// <summary>Whether we serve it: the app gave it neither a certificate nor a selector of its own.</summary>
    public bool IsOurs => Own is null && _options.ServerCertificateSelector == _selector;

    /// <summary>How long the app lets a handshake take.</summary>
    public TimeSpan HandshakeTimeout => _options.HandshakeTimeout < LongestTimeout ? _options.HandshakeTimeout : LongestTimeout;

    /// <summary>Whether <see cref="UseSelectorOnly"/> is in force.</summary>
    public bool IsSelectorOnly { get; private set; }

    // The certificate of this endpoint alone.
    private AppCertificate? Own =>
        _options.ServerCertificate is { } certificate && !ReferenceEquals(certificate, _defaultCertificate) ? new AppCertificate(certificate, _options.ServerCertificateChain) : null;

    // What names get that are not ours.
    private AppCertificate? Fallback =>
        _defaultCertificate is { } certificate ? new AppCertificate(certificate, _options.ServerCertificateChain) : _services.Fallback.Current;

    /// <summary>The HTTPS options' endpoint, if they have ours already.</summary>
    public static HttpsEndpoint? Of(HttpsConnectionAdapterOptions options) =>
        options.ServerCertificateSelector?.Target as HttpsEndpoint;

    /// <summary>Makes the certificate that the options have now a mere fallback: somebody asked for ours in so many words.</summary>
    public void Claim() => _defaultCertificate = _options.ServerCertificate;

    /// <summary>Makes the context of the app's own certificate, as Kestrel does before it listens: what is missing of the chain may be fetched.</summary>
    public void Prepare()
    {
        if ((Own ?? Fallback) is { } certificate)
        {
            _services.Contexts.Prepare(certificate);
        }
    }

    /// <summary>Lays ours over an <c>OnAuthenticate</c> that the app set later. Kestrel reads it at each handshake.</summary>
    public void Settle()
    {
        IsSelectorOnly = false;
        if (_options.OnAuthenticate != _installed)
        {
            Install(_options.OnAuthenticate);
        }
    }

    /// <summary>Takes our <c>OnAuthenticate</c> away, with which Kestrel refuses to bind HTTP/3: certificates then come from the selector.</summary>
    public void UseSelectorOnly()
    {
        if (_options.OnAuthenticate == _installed)
        {
            _options.OnAuthenticate = _appAuthenticate;
        }

        IsSelectorOnly = true;
    }

    // A new delegate each time: the app's may hold the one before and call it.
    private void Install(Action<ConnectionContext, SslServerAuthenticationOptions>? app)
    {
        _appAuthenticate = app;
        _options.OnAuthenticate = _installed = (connection, ssl) =>
        {
            app?.Invoke(connection, ssl);
            Authenticate(connection, ssl);
        };
    }

    private void Authenticate(ConnectionContext connection, SslServerAuthenticationOptions ssl)
    {
        if (ssl.ServerCertificateContext is not null || _options.ServerCertificateSelector != _selector)
        {
            // An Sni section's own certificate, the app's own context, or the app's own selector.
            return;
        }

        if (Own is { } own)
        {
            Serve(ssl, _services.Contexts.Get(own));
        }
        else if (connection.Features.Get<TlsSelection>() is { } selection)
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
            throw HandshakeRefusal.Refuse(connection, selection, _services.Logger);
        }
        else if (_appSelector is not null)
        {
            // On Sni sections it was asked already, and its answer lies in the options.
            ssl.ServerCertificateSelectionCallback = ssl.ServerCertificateSelectionCallback is null ? null : (_, name) => _appSelector(connection, name)!;
        }
        else if (Fallback is { } fallback)
        {
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

            throw HandshakeRefusal.Refuse(connection, selection, _services.Logger);
        }
    }

    private void Serve(SslServerAuthenticationOptions ssl, TlsSelection selection)
    {
        var served = selection.For(ssl);
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

    // Without a look at the ClientHello first, on Sni sections (the name comes here, then OnAuthenticate without it), and for HTTP/3.
    private X509Certificate2? Select(ConnectionContext? connection, string? serverName)
    {
        if (Own is { } own)
        {
            return own.Certificate;
        }

        var seen = connection?.Features.Get<TlsSelection>();
        var localAddress = connection is null ? null : ClientHelloMiddleware.LocalAddress(connection);
        var selection = seen ?? _services.Selector.Select(serverName, localAddress);
        if (seen is null)
        {
            connection?.Features.Set(selection);
        }

        if (selection.Outcome is not (TlsOutcome.Foreign or TlsOutcome.Nameless))
        {
            return selection.Context?.TargetCertificate;
        }

        if (_appSelector is not null)
        {
            return _appSelector(connection, serverName);
        }

        var certificate = Fallback?.Certificate ?? selection.Context?.TargetCertificate;
        if (certificate is null && selection.Outcome == TlsOutcome.Nameless && seen is null)
        {
            _services.Nameless.Refused(connection?.RemoteEndPoint);
        }

        return certificate;
    }
}

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
