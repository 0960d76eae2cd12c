using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Testing;
using KestrelAcme.Tests.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>The ways to configure Kestrel that must work.</summary>
internal static class EndpointCases
{
    public const string Default = "default.test";
    public const string Own = "own.test";

    private const string Endpoint = "Kestrel:Endpoints:Web";
    private static readonly TestAuthority Authority = new("App");
    private static readonly Lazy<string> DefaultFile = new(() => Pfx(Default));
    private static readonly Lazy<string> OwnFile = new(() => Pfx(Own));
    private static readonly X509Certificate2 OwnCertificate = Authority.IssueWithKey(Own);

    public static IEnumerable<EndpointCase> All =>
    [
        .. FromConfiguration(), .. InCode(), .. WithHttpsDefaults(), .. WithEndpointDefaults(), .. Protocols(), .. Slim(),
    ];

    private static IEnumerable<EndpointCase> FromConfiguration() =>
    [
        new("urls") { After = Urls },
        new("urls, every address") { After = b => b.WebHost.UseUrls("https://*:0") },
        new("urls and Kestrel:Certificates:Default") { After = Urls, Configuration = WithDefault(), Foreign = Default },
        new("HTTPS_PORTS") { Configuration = new() { ["HTTPS_PORTS"] = "0" } },
        new("Kestrel:Endpoints") { Configuration = Web() },
        new("Kestrel:Endpoints and Kestrel:Certificates:Default") { Configuration = Web(WithDefault()), Foreign = Default },
        new("Kestrel:Endpoints with a certificate of its own")
        {
            Configuration = Web(
                new() { [$"{Endpoint}:Certificate:Path"] = OwnFile.Value, [$"{Endpoint}:Certificate:Password"] = "secret" }),
            Managed = Own, Foreign = Own,
            Check = endpoints => Assert.False(endpoints.AnyIsOurs),
        },
        new("Sni section without a certificate") { Configuration = Web(new() { [$"{Endpoint}:Sni:*:Protocols"] = "Http1AndHttp2" }) },
        new("Sni section with a certificate for another name")
        {
            Configuration = Web(new()
            {
                [$"{Endpoint}:Sni:a.test:Protocols"] = "Http1AndHttp2",
                [$"{Endpoint}:Sni:foreign.test:Certificate:Path"] = OwnFile.Value,
                [$"{Endpoint}:Sni:foreign.test:Certificate:Password"] = "secret",
            }),
            Foreign = Own,
        },
        new("EndpointDefaults section")
        {
            Configuration = Web(new() { ["Kestrel:EndpointDefaults:Protocols"] = "Http1" }),
            Protocol = "HTTP/1.1",
        },
    ];

    private static IEnumerable<EndpointCase> InCode() =>
    [
        new("ListenAnyIP") { After = Kestrel(k => k.ListenAnyIP(0, l => l.UseHttps())) },
        new("ListenLocalhost") { After = Kestrel(k => k.ListenLocalhost(FreePort.Tcp(), l => l.UseHttps())) },
        new("UseHttps() before") { Before = Kestrel(k => k.Listen(Any, l => l.UseHttps())) },
        new("UseHttps() after") { After = Kestrel(k => k.Listen(Any, l => l.UseHttps())) },
        new("UseHttps(certificate) before")
        {
            Before = Kestrel(k => k.Listen(Any, l => l.UseHttps(OwnCertificate))),
            Managed = Own,
            Foreign = Own,
        },
        new("UseHttps(certificate) after")
        {
            After = Kestrel(k => k.Listen(Any, l => l.UseHttps(OwnCertificate))),
            Managed = Own,
            Foreign = Own,
        },
        new("UseHttps(options) with a selector")
        {
            After = Kestrel(k => k.Listen(Any, l => l.UseHttps(h => h.ServerCertificateSelector = (_, _) => OwnCertificate))),
            Managed = Own, Foreign = Own,
        },
        new("UseHttps(options) with OnAuthenticate")
        {
            After = Kestrel(
                k => k.Listen(
                    Any, l => l.UseHttps(h => h.OnAuthenticate = (_, o) => o.ApplicationProtocols = [SslApplicationProtocol.Http11]))),
            Protocol = "HTTP/1.1",
        },
        new("UseHttps(options) with OnAuthenticate that selects the certificate")
        {
            After = Kestrel(k => k.Listen(
                Any,
                l => l.UseHttps(h => h.OnAuthenticate = (_, o) => o.ServerCertificateSelectionCallback = (_, _) => OwnCertificate))),
            Managed = Own, Foreign = Own,
        },
        new("UseHttps(options) with OnAuthenticate around ours")
        {
            After = Kestrel(k => k.Listen(Any, l => l.UseHttps(h =>
            {
                var inner = h.OnAuthenticate;
                h.OnAuthenticate = (c, o) =>
                {
                    inner?.Invoke(c, o);
                    o.ApplicationProtocols = [SslApplicationProtocol.Http11];
                };
            }))),
            Protocol = "HTTP/1.1",
        },
        new("UseHttps(callback)")
        {
            After = Kestrel(k => k.Listen(Any, l => l.UseHttps(new Microsoft.AspNetCore.Server.Kestrel.Https.TlsHandshakeCallbackOptions
            {
                OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificate = OwnCertificate }),
            }))),
            Managed = Own, Foreign = Own,
        },
        new("ListenOptions.UseAcmeHttps()") { After = Kestrel(k => k.Listen(Any, l => l.UseAcmeHttps())) },
        new("ConfigurationLoader.Endpoint")
        {
            Configuration = Web(),
            After = Kestrel(
                k => k.ConfigurationLoader!.Endpoint(
                    "Web", e => e.HttpsOptions.OnAuthenticate = (_, o) => o.ApplicationProtocols = [SslApplicationProtocol.Http11])),
            Protocol = "HTTP/1.1",
        },
        new("ConfigurationLoader.Endpoint with a certificate")
        {
            Configuration = Web(),
            After = Kestrel(k => k.ConfigurationLoader!.Endpoint("Web", e => e.HttpsOptions.ServerCertificate = OwnCertificate)),
            Managed = Own, Foreign = Own,
        },
    ];

    private static IEnumerable<EndpointCase> WithHttpsDefaults() =>
    [
        new("HTTPS defaults before") { Before = Kestrel(OnlyHttp11), After = Urls, Protocol = "HTTP/1.1" },
        new("HTTPS defaults after") { After = b => { Kestrel(OnlyHttp11)(b); Urls(b); }, Protocol = "HTTP/1.1" },
        new("HTTPS defaults with a certificate")
        {
            After = b => { Kestrel(k => k.ConfigureHttpsDefaults(h => h.ServerCertificate = OwnCertificate))(b); Urls(b); },
            Foreign = Own,
        },
        new("HTTPS defaults with a selector")
        {
            After = b =>
            {
                Kestrel(k => k.ConfigureHttpsDefaults(h => h.ServerCertificateSelector = (_, _) => OwnCertificate))(b);
                Urls(b);
            },
            Foreign = Own,
        },
        new("HTTPS defaults after all other configuration")
        {
            After = b => { b.Services.PostConfigure<KestrelServerOptions>(OnlyHttp11); Urls(b); }, Protocol = "HTTP/1.1",
        },
        new("HTTPS defaults on Kestrel:Endpoints")
        {
            After = Kestrel(OnlyHttp11),
            Configuration = Web(WithDefault()),
            Foreign = Default,
            Protocol = "HTTP/1.1",
        },
        new("HTTPS defaults and an endpoint in one callback, UseAcmeHttps on the endpoint")
        {
            After = Kestrel(k => { OnlyHttp11(k); k.Listen(Any, l => l.UseHttps(h => h.UseAcmeHttps(k.ApplicationServices))); }),
            Protocol = "HTTP/1.1",
        },
        new("HTTPS defaults with UseAcmeHttps and an endpoint in one callback")
        {
            After = Kestrel(k =>
            {
                k.ConfigureHttpsDefaults(h =>
                {
                    h.SslProtocols = System.Security.Authentication.SslProtocols.Tls12;
                    h.UseAcmeHttps(k.ApplicationServices);
                });
                k.Listen(Any, l => l.UseHttps());
            }),
        },
    ];

    private static IEnumerable<EndpointCase> WithEndpointDefaults() =>
    [
        new("endpoint defaults before") { Before = Kestrel(OnlyProtocolHttp1), After = Urls, Protocol = "HTTP/1.1" },
        new("endpoint defaults after") { After = b => { Kestrel(OnlyProtocolHttp1)(b); Urls(b); }, Protocol = "HTTP/1.1" },
        new("endpoint defaults after all other configuration")
        {
            After = b => { b.Services.PostConfigure<KestrelServerOptions>(OnlyProtocolHttp1); Urls(b); }, Protocol = "HTTP/1.1",
        },
        new("endpoint defaults on Kestrel:Endpoints") { After = Kestrel(OnlyProtocolHttp1), Configuration = Web(), Protocol = "HTTP/1.1" },
        new("endpoint defaults with middleware")
        {
            After = b => { Kestrel(k => k.ConfigureEndpointDefaults(l => l.UseConnectionLogging()))(b); Urls(b); },
        },
        new("endpoint defaults that turn TLS on")
        {
            After = b => { Kestrel(k => k.ConfigureEndpointDefaults(l => l.UseHttps(OwnCertificate)))(b); Urls(b); },
            Managed = Own, Foreign = Own,
        },
        new("endpoint defaults that turn TLS on without a certificate")
        {
            After = b => { Kestrel(k => k.ConfigureEndpointDefaults(l => l.UseHttps()))(b); Urls(b); },
        },
        new("endpoint defaults that depend on the port")
        {
            After = b =>
            {
                var port = FreePort.Tcp();
                Kestrel(k => k.ConfigureEndpointDefaults(
                    l => l.Protocols = l.IPEndPoint!.Port == port ? HttpProtocols.Http1 : HttpProtocols.Http2))(b);
                b.WebHost.UseUrls($"https://127.0.0.1:{port}");
            },
            Protocol = "HTTP/1.1",
        },
        new("both defaults")
        {
            After = b => { Kestrel(k => { OnlyProtocolHttp1(k); k.ConfigureHttpsDefaults(_ => { }); })(b); Urls(b); },
            Protocol = "HTTP/1.1",
        },
        new("endpoint defaults and an endpoint in one callback, UseAcmeHttps on the endpoint")
        {
            After = Kestrel(k => { OnlyProtocolHttp1(k); k.Listen(Any, l => l.UseAcmeHttps()); }), Protocol = "HTTP/1.1",
        },
    ];

    private static IEnumerable<EndpointCase> Protocols() =>
    [
        new("HTTP/1.1 only") { Configuration = Web(new() { [$"{Endpoint}:Protocols"] = "Http1" }), Protocol = "HTTP/1.1" },
        new("HTTP/2 only") { Configuration = Web(new() { [$"{Endpoint}:Protocols"] = "Http2" }) },
        new("HTTP/3 too, without QUIC") { Configuration = Web(new() { [$"{Endpoint}:Protocols"] = "Http1AndHttp2AndHttp3" }) },
        new("TLS 1.2 only") { Configuration = Web(new() { [$"{Endpoint}:SslProtocols:0"] = "Tls12" }) },
    ];

    private static IEnumerable<EndpointCase> Slim() =>
    [
        new("slim builder, urls") { Slim = true, After = Urls },
        new("slim builder, UseKestrelHttpsConfiguration")
        {
            Slim = true,
            After = b => { b.WebHost.UseKestrelHttpsConfiguration(); Urls(b); },
        },
        new("slim builder, UseHttps()") { Slim = true, After = Kestrel(k => k.Listen(Any, l => l.UseHttps())) },
        new("slim builder, Kestrel:Endpoints") { Slim = true, Configuration = Web() },
    ];

    private static IPEndPoint Any => new(IPAddress.Loopback, 0);

    private static void Urls(WebApplicationBuilder builder) => builder.WebHost.UseUrls("https://127.0.0.1:0");

    private static Action<WebApplicationBuilder> Kestrel(Action<KestrelServerOptions> configure)
        => builder => builder.Services.Configure(configure);

    private static void OnlyHttp11(KestrelServerOptions kestrel) =>
        kestrel.ConfigureHttpsDefaults(
            https => https.OnAuthenticate = (_, ssl) => ssl.ApplicationProtocols = [SslApplicationProtocol.Http11]);

    private static void OnlyProtocolHttp1(KestrelServerOptions kestrel)
        => kestrel.ConfigureEndpointDefaults(listen => listen.Protocols = HttpProtocols.Http1);

    private static Dictionary<string, string?> Web(Dictionary<string, string?>? more = null)
        => new(more ?? []) { [$"{Endpoint}:Url"] = "https://127.0.0.1:0" };

    private static Dictionary<string, string?> WithDefault() => new()
    {
        ["Kestrel:Certificates:Default:Path"] = DefaultFile.Value, ["Kestrel:Certificates:Default:Password"] = "secret",
    };

    private static string Pfx(string name)
    {
        var path = Path.Combine(Path.GetTempPath(), $"{name}-{Guid.NewGuid():N}.pfx");
        File.WriteAllBytes(path, Authority.IssueWithKey(name).Export(X509ContentType.Pkcs12, "secret"));
        AppDomain.CurrentDomain.ProcessExit += (_, _) => File.Delete(path);
        return path;
    }
}
