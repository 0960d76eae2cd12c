using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Hosting.Kestrel;
using KestrelAcme.Tests.Tls;
using KestrelAcme.Tls;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Benchmarks.Handshakes;

/// <summary>The servers that are compared, all in this process.</summary>
internal static class HandshakeServers
{
    /// <summary>Kestrel without TLS.</summary>
    public static Task<int> StartPlainAsync() => StartAsync(builder => builder.WebHost.UseUrls("http://127.0.0.1:0"));

    /// <summary>Kestrel with one certificate and its chain.</summary>
    public static Task<int> StartStaticAsync(TestAuthority authority, string prefix, LeafKeys keys)
    {
        var certificate = authority.IssueWithKey([$"{prefix}0.test"], keys.For(0));
        return StartAsync(builder => builder.WebHost.ConfigureKestrel(
            kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(https =>
            {
                https.ServerCertificate = certificate;
                https.ServerCertificateChain = [authority.Intermediate];
            }))));
    }

    /// <summary>Kestrel with a selector that finds the certificate by name, as everybody writes it first.</summary>
    public static Task<int> StartSelectorAsync(TestAuthority authority, string prefix, int names, LeafKeys keys)
    {
        var certificates = Enumerable.Range(0, names)
            .ToDictionary(i => $"{prefix}{i}.test", i => authority.IssueWithKey([$"{prefix}{i}.test"], keys.For(i)));
        return StartAsync(builder => builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(
            IPAddress.Loopback,
            0,
            listen => listen.UseHttps(https => https.ServerCertificateSelector = (_, name) => certificates[name!]))));
    }

    /// <summary>Ours.</summary>
    public static Task<int> StartOursAsync(
        TestAuthority authority, string prefix, int names, LeafKeys keys, TlsSettings settings) => StartAsync(
        builder =>
        {
            builder.Services.AddSingleton<ITlsSettingsSource>(new FixedTlsSettings(settings));
            builder.Services.AddKestrelTls();
            builder.WebHost.UseUrls("https://127.0.0.1:0");
        },
        app => app.Services.GetRequiredService<ITlsPublisher>()
            .PublishStored([.. Enumerable.Range(0, names).Select(i => authority.Issue([$"{prefix}{i}.test"], keys.For(i)))]));

    private static async Task<int> StartAsync(Action<WebApplicationBuilder> configure, Action<WebApplication>? publish = null)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        configure(builder);
        var app = builder.Build();
        publish?.Invoke(app);
        await app.StartAsync();
        return new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First()).Port;
    }
}
