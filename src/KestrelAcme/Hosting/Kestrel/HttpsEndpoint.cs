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
            app?.Invoke(connection, ssl);
            Authenticate(connection, ssl);
        };
    }

    private void Authenticate(ConnectionContext connection, SslServerAuthenticationOptions ssl)
    {
        if (ssl.ServerCertificateContext is not null || _options.ServerCertificateSelector != _selector)
        {
            // The certificate of an Sni section, or the app's own context or selector.
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
            // With Sni sections, it was called already, and the options have its result.
            ssl.ServerCertificateSelectionCallback = ssl.ServerCertificateSelectionCallback is null
                ? null
                : (_, name) => _appSelector(connection, name)!;
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

    // Used if the ClientHello was not read first, for Sni sections (which pass the name here, but not to OnAuthenticate), and for HTTP/3.
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

/// <summary>Refuses a handshake with an alert (RFC 8446 section 6.2), in a way that Kestrel logs at level Debug.</summary>
internal static class HandshakeRefusal
{
    private const byte DecodeError = 50;
    private const byte UnrecognizedName = 112;

    /// <summary>Sends the alert and returns the exception that ends the handshake.</summary>
    public static AuthenticationException Refuse(ConnectionContext connection, TlsSelection selection, ILogger logger)
    {
        logger.HandshakeRefused(selection.Outcome.ToString(), selection.ServerName);
        var alert = selection.Outcome == TlsOutcome.Malformed ? DecodeError : UnrecognizedName;
        ReadOnlySpan<byte> record = [21, 3, 3, 0, 2, 2, alert];
        record.CopyTo(connection.Transport.Output.GetSpan(record.Length));
        connection.Transport.Output.Advance(record.Length);
        var flush = connection.Transport.Output.FlushAsync();
        if (!flush.IsCompletedSuccessfully)
        {
            // Seven bytes need no wait, unless the client is gone, and then the result does not matter.
            _ = flush.AsTask().ContinueWith(
                static task => _ = task.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }

        return new AuthenticationException($"No certificate for this server name ({selection.Outcome}).");
    }
}

/// <summary>The services that the HTTPS options of all endpoints share.</summary>
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
