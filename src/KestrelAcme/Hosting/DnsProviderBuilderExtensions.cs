using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Hosting;

// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds DNS providers in code. What they are told is checked with the configuration at start; each is one more element of <c>DnsProviders</c>, behind those of the configuration.
/// </summary>
public static class DnsProviderBuilderExtensions
{
    /// <summary>Adds a DNS provider of your own.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">A name that no other type has; the configuration may use it as a <c>Type</c>, too.</param>
    /// <param name="factory">Creates the provider, once. A disposable provider is disposed with the app.</param>
    /// <param name="configure">Sets the zones that it serves and how long its records may take; without it, it serves all zones.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider(
        this IAcmeHttpsBuilder builder, string name, Func<IServiceProvider, IDnsProvider> factory, Action<DnsProviderOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        var options = new DnsProviderOptions { Type = name };
        configure?.Invoke(options);
        builder.Services.AddDnsProviderKind(new DnsProviderType(name, []), (services, _) => factory(services));
        return builder.AddDnsProvider(options);
    }

    /// <summary>Adds a DNS provider of your own, created from the app's services.</summary>
    /// <typeparam name="TProvider">The provider. Its name as a <c>Type</c> is the name of the class without <c>DnsProvider</c> or <c>Provider</c>.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets the zones that it serves and how long its records may take; without it, it serves all zones.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TProvider>(
        this IAcmeHttpsBuilder builder, Action<DnsProviderOptions>? configure = null)
        where TProvider : class, IDnsProvider
    {
        var name = typeof(TProvider).Name;
        foreach (var suffix in (string[])["DnsProvider", "Provider"])
        {
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
            {
                name = name[..^suffix.Length];
                break;
            }
        }

        return builder.AddDnsProvider(name, services => ActivatorUtilities.CreateInstance<TProvider>(services), configure);
    }

    /// <summary>Adds a provider of a known type in code, as an element of <c>DnsProviders</c> would in the configuration.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="options">The element; checked with the configuration at start.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider(this IAcmeHttpsBuilder builder, DnsProviderOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.Configure<AcmeHttpsOptions>(all => all.DnsProviders = [.. all.DnsProviders, options]);
        return builder;
    }

    /// <summary>
    /// Adds a type that elements of <c>DnsProviders</c> may name, with keys of its own: one for each public property of
    /// <typeparamref name="TOptions"/>. Of two types with the same name, the one added last is used.
    /// </summary>
    /// <typeparam name="TOptions">
    /// A class with settable properties of type <see cref="string"/>, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>, <see cref="TimeSpan"/>,
    /// <see cref="Guid"/>, <see cref="Uri"/> (absolute) or an enumeration. <see cref="System.ComponentModel.DataAnnotations.RequiredAttribute"/> makes a key
    /// required, other validation attributes check its value, and <c>[DataType(DataType.Password)]</c> marks a secret: no message quotes it, and a key with
    /// <c>File</c> at the end of its name may hold the path of a file with the value instead.
    /// </typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="type">The name, compared without regard to case.</param>
    /// <param name="factory">Creates a provider; called once for each element of the configuration, when it is first needed.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">A property has a type that cannot be read from the configuration.</exception>
    public static IAcmeHttpsBuilder AddDnsProviderType<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
        this IAcmeHttpsBuilder builder, string type, Func<IServiceProvider, TOptions, IDnsProvider> factory)
        where TOptions : class, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(type);
        ArgumentNullException.ThrowIfNull(factory);
        builder.Services.AddDnsProviderKind(
            DnsProviderOptionsReader<TOptions>.TypeOf(type), (services, settings) => factory(services, DnsProviderOptionsReader<TOptions>.Read(settings)));
        return builder;
    }

    /// <summary>Adds dynamic updates (RFC 2136) of a name server such as BIND.</summary>
    public static IAcmeHttpsBuilder AddRfc2136Dns(this IAcmeHttpsBuilder builder, Action<Rfc2136Options> configure) => builder.Add(configure);

    /// <summary>Adds the HTTP API of a PowerDNS authoritative server.</summary>
    public static IAcmeHttpsBuilder AddPowerDns(this IAcmeHttpsBuilder builder, Action<PowerDnsOptions> configure) => builder.Add(configure);

    /// <summary>Adds Cloudflare, with a scoped API token.</summary>
    public static IAcmeHttpsBuilder AddCloudflareDns(this IAcmeHttpsBuilder builder, Action<CloudflareOptions> configure) => builder.Add(configure);

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
