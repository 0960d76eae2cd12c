using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting;

/// <summary>
/// Adds DNS providers in code. What they are told is checked with the configuration at start; each is one more element of <c>DnsProviders</c>, behind those of the configuration.
/// </summary>
public static class DnsProviderBuilderExtensions
{
    /// <summary>Adds a DNS provider of your own.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">A name for it that no other type has; the configuration may name it as a <c>Type</c>, too.</param>
    /// <param name="factory">Makes it, once. If it is disposable, it is disposed with the application.</param>
    /// <param name="configure">Says for which zones it is, and how long its records are waited for; without it, it is for all zones.</param>
    public static IAcmeHttpsBuilder AddDnsProvider(
        this IAcmeHttpsBuilder builder, string name, Func<IServiceProvider, IDnsProvider> factory, Action<DnsPlacementOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        var options = new DnsProviderOptions { Type = name };
        configure?.Invoke(options);
        return builder.AddDnsProviderType(new DnsProviderType(name, []), (services, _) => factory(services)).AddDnsProvider(options);
    }

    /// <summary>Adds a provider of a type that is known, as an element of <c>DnsProviders</c> would.</summary>
    public static IAcmeHttpsBuilder AddDnsProvider(this IAcmeHttpsBuilder builder, DnsProviderOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.Configure<AcmeHttpsOptions>(all => all.DnsProviders = [.. all.DnsProviders, options]);
        return builder;
    }

    /// <summary>Adds a type that elements of <c>DnsProviders</c> may name: what a package with a provider calls. Of two types with one name the one added last is used.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="type">The name and the keys, which are checked at start.</param>
    /// <param name="factory">Makes a provider from checked settings; called once for each element when it is first needed.</param>
    public static IAcmeHttpsBuilder AddDnsProviderType(this IAcmeHttpsBuilder builder, DnsProviderType type, Func<IServiceProvider, DnsProviderSettings, IDnsProvider> factory)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddDnsProviderKind(type, factory);
        return builder;
    }

    /// <summary>Adds dynamic updates (RFC 2136) of a name server such as BIND.</summary>
    public static IAcmeHttpsBuilder AddRfc2136(this IAcmeHttpsBuilder builder, Action<Rfc2136Options> configure) => builder.Add(configure);

    /// <summary>Adds the HTTP API of a PowerDNS authoritative server.</summary>
    public static IAcmeHttpsBuilder AddPowerDns(this IAcmeHttpsBuilder builder, Action<PowerDnsOptions> configure) => builder.Add(configure);

    /// <summary>Adds Cloudflare, with a scoped API token.</summary>
    public static IAcmeHttpsBuilder AddCloudflare(this IAcmeHttpsBuilder builder, Action<CloudflareOptions> configure) => builder.Add(configure);

    /// <summary>Adds an acme-dns server. The CNAME that each name needs is logged, and is part of the failure until it is there.</summary>
    public static IAcmeHttpsBuilder AddAcmeDns(this IAcmeHttpsBuilder builder, Action<AcmeDnsOptions> configure) => builder.Add(configure);

    /// <summary>Adds a program of your own, which is run for each record with <c>present</c> or <c>cleanup</c>, the record's name and its value.</summary>
    public static IAcmeHttpsBuilder AddExecDns(this IAcmeHttpsBuilder builder, Action<ExecOptions> configure) => builder.Add(configure);

    private static IAcmeHttpsBuilder Add<TOptions>(this IAcmeHttpsBuilder builder, Action<TOptions> configure)
        where TOptions : DnsProviderOptions, new()
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new TOptions();
        configure(options);
        return builder.AddDnsProvider(options);
    }
}
