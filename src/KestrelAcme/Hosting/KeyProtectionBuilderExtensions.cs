using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography.X509Certificates;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Challenges.Dns01.AcmeDns;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Protection;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection.Extensions;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>
/// Encrypts private keys in the store: those of certificates, of orders and of accounts, and the passwords of acme-dns registrations. It
/// works with every storage. Chains stay readable.
/// </summary>
/// <remarks>
/// Keys that are stored already are encrypted after the start. If several of these methods are called, the last one encrypts, and all of
/// them decrypt. With <see cref="AcmeHttpsOptions.ProtectKeys"/> set to <see langword="false"/>, they only decrypt.
/// </remarks>
public static class KeyProtectionBuilderExtensions
{
    /// <summary>
    /// Encrypts private keys in the store with the app's ASP.NET Core Data Protection. Its key ring must be persisted
    /// (<c>PersistKeysTo...</c>), and the app needs a name (<c>SetApplicationName</c>): without the key ring, the keys in the store are
    /// lost.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder ProtectKeysWithDataProtection(this IAcmeHttpsBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddDataProtection();
        return builder.ProtectKeysWith<DataProtectionKeyProtector>();
    }

    /// <summary>Encrypts private keys in the store with the RSA key of a certificate.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="certificate">The certificate that encrypts, with its private key. It may have expired.</param>
    /// <param name="decryptionCertificates">
    /// Earlier certificates, with their private keys. What they encrypted is encrypted for <paramref name="certificate"/> after the start.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentException">A certificate has no RSA private key, or one of fewer than 2048 bits.</exception>
    public static IAcmeHttpsBuilder ProtectKeysWithCertificate(
        this IAcmeHttpsBuilder builder, X509Certificate2 certificate, params X509Certificate2[] decryptionCertificates)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(certificate);
        ArgumentNullException.ThrowIfNull(decryptionCertificates);
        var protector = new CertificateKeyProtector(certificate, decryptionCertificates);
        return builder.ProtectKeysWith(_ => protector);
    }

    /// <summary>Encrypts private keys in the store with a custom protector, such as one that uses a key management service.</summary>
    /// <typeparam name="TProtector">The protector: a singleton, whose constructor can have services as parameters.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder ProtectKeysWith<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TProtector>(this IAcmeHttpsBuilder builder)
        where TProtector : class, IKeyProtector
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddSingleton<IKeyProtector, TProtector>();
        return AddProtection(builder);
    }

    /// <summary>Encrypts private keys in the store with a custom protector, such as one that uses a key management service.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="factory">Creates the protector, once.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder ProtectKeysWith(this IAcmeHttpsBuilder builder, Func<IServiceProvider, IKeyProtector> factory)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(factory);
        builder.Services.AddSingleton(factory);
        return AddProtection(builder);
    }

    private static IAcmeHttpsBuilder AddProtection(IAcmeHttpsBuilder builder)
    {
        builder.Services.TryAddSingleton(static provider => new KeyProtection(
            [.. provider.GetServices<IKeyProtector>()],
            provider.GetRequiredService<ConfigurationSource>().Current.ProtectKeys,
            [.. StorageLayout.SecretPlaces, new SecretPlace(AcmeDnsRegistrations.Prefix, SecretFormat.Json)]));
        return builder;
    }
}
