using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Challenges;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Challenges.Dns01.Cloudflare;
using KestrelAcme.Challenges.Dns01.Exec;
using KestrelAcme.Challenges.Dns01.Persist;
using KestrelAcme.Challenges.Dns01.PowerDns;
using KestrelAcme.Challenges.Dns01.Rfc2136;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Binding;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Hosting;
using Microsoft.Extensions.DependencyInjection.Extensions;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Adds DNS providers in code. Each is appended to <see cref="AcmeHttpsOptions.DnsProviders"/> after those of the configuration, and
/// validated with them at start.
/// </summary>
public static class DnsProviderBuilderExtensions
{
    /// <summary>Adds a custom DNS provider.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="name">A unique name for the type of provider. The configuration can use it as a <c>Type</c>, too.</param>
    /// <param name="factory">Creates the provider, once. If it is disposable, it is disposed with the app.</param>
    /// <param name="configure">Sets the zones and the waiting times. By default, the provider is responsible for all zones.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider(
        this IAcmeHttpsBuilder builder,
        string name,
        Func<IServiceProvider, IDnsProvider> factory,
        Action<DnsProviderOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(factory);
        var options = new DnsProviderOptions { Type = name };
        configure?.Invoke(options);
        builder.Services.AddDnsProviderKind(new DnsProviderType(name, []), (services, _) => factory(services));
        return builder.AddDnsProvider(options);
    }

    /// <summary>Adds a custom DNS provider, created from the app's services.</summary>
    /// <typeparam name="TProvider">
    /// The provider. Its <c>Type</c> is the name of the class without the suffix <c>DnsProvider</c> or <c>Provider</c>.
    /// </typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="configure">Sets the zones and the waiting times. By default, the provider is responsible for all zones.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TProvider>(
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

    /// <summary>Adds a provider of a known type, like an element of <c>DnsProviders</c> in the configuration.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="options">The options of the provider, which are validated at start.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDnsProvider(this IAcmeHttpsBuilder builder, DnsProviderOptions options)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(options);
        builder.Services.Configure<AcmeHttpsOptions>(all => all.DnsProviders = [.. all.DnsProviders, options]);
        return builder;
    }

    /// <summary>
    /// Adds a type that elements of <c>DnsProviders</c> can name, with a key for each public property of <typeparamref name="TOptions"/>.
    /// If two types have the same name, the last one wins.
    /// </summary>
    /// <typeparam name="TOptions">
    /// A class with settable properties of type <see cref="string"/>, <see cref="bool"/>, <see cref="int"/>, <see cref="long"/>,
    /// <see cref="TimeSpan"/>, <see cref="Guid"/>, <see cref="Uri"/> (absolute) or an enumeration. The attribute
    /// <see cref="System.ComponentModel.DataAnnotations.RequiredAttribute"/> makes a key required, and other validation attributes check
    /// its value. <see cref="DnsProviderSettingAttribute"/> marks a secret, and keys that belong together. A class derived from
    /// <see cref="DnsProviderOptions"/> can be passed to <see cref="AddDnsProvider(IAcmeHttpsBuilder, DnsProviderOptions)"/>, too.
    /// </typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="type">The name, case-insensitive.</param>
    /// <param name="factory">Creates a provider. Called once for each element of the configuration, on first use.</param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">A property has a type that cannot be read from the configuration.</exception>
    public static IAcmeHttpsBuilder AddDnsProviderType<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties)] TOptions>(
        this IAcmeHttpsBuilder builder, string type, Func<IServiceProvider, TOptions, IDnsProvider> factory)
        where TOptions : class, new()
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentException.ThrowIfNullOrWhiteSpace(type);
        ArgumentNullException.ThrowIfNull(factory);
        builder.Services.AddDnsProviderKind(
            DnsProviderOptionsReader<TOptions>.TypeOf(type),
            (services, settings) => factory(services, DnsProviderOptionsReader<TOptions>.Read(settings)));
        return builder;
    }

    /// <summary>Adds a name server with dynamic updates (RFC 2136), such as BIND.</summary>
    public static IAcmeHttpsBuilder AddRfc2136Dns(this IAcmeHttpsBuilder builder, Action<Rfc2136Options> configure)
        => builder.Add(configure);

    /// <summary>Adds a PowerDNS authoritative server with its HTTP API.</summary>
    public static IAcmeHttpsBuilder AddPowerDns(this IAcmeHttpsBuilder builder, Action<PowerDnsOptions> configure)
        => builder.Add(configure);

    /// <summary>Adds Cloudflare, with a scoped API token.</summary>
    public static IAcmeHttpsBuilder AddCloudflareDns(this IAcmeHttpsBuilder builder, Action<CloudflareOptions> configure)
        => builder.Add(configure);

    /// <summary>Adds an acme-dns server. The CNAME record that each name needs is logged, and shown in failures until it exists.</summary>
    public static IAcmeHttpsBuilder AddAcmeDns(this IAcmeHttpsBuilder builder, Action<AcmeDnsOptions> configure) => builder.Add(configure);

    /// <summary>
    /// Adds a program, which is run for each record with the arguments <c>present</c> or <c>cleanup</c>, the record's name and its value.
    /// </summary>
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

/// <summary>Adds the challenge type <c>dns-persist-01</c>, which follows a draft that may still change.</summary>
public static class DnsPersistBuilderExtensions
{
    /// <summary>
    /// Allows <c>dns-persist-01</c> in <see cref="AcmeHttpsOptions.ChallengeTypes"/> (draft-ietf-acme-dns-persist-02, and -01 if the CA's
    /// directory has no <c>accountHashPrefix</c>). You prove control of a name with a permanent TXT record,
    /// <c>_validation-persist.NAME</c>, which you create once. KestrelAcme queries it before each order. While it is missing, the
    /// certificate's status shows it in <see cref="KestrelAcme.Certificates.CertificateFailure.RequiredRecords"/>, and the log shows it
    /// once. Later versions of the draft may require another record.
    /// </summary>
    [Experimental("KESTRELACME001")]
    public static IAcmeHttpsBuilder AddDnsPersist01(this IAcmeHttpsBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.TryAddEnumerable(ServiceDescriptor.Singleton<IChallengeHandler, DnsPersist01ChallengeHandler>());
        builder.Services.AddSingleton(new ExperimentalChallengeType(DnsPersist01ChallengeHandler.Type));
        return builder;
    }
}
