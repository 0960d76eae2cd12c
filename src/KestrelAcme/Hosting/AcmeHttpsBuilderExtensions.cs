using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

// The namespace where apps look for extension methods of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Extension methods for <see cref="IAcmeHttpsBuilder"/>.</summary>
public static class AcmeHttpsBuilderExtensions
{
    /// <summary>
    /// Keeps accounts, certificates and their states in a custom storage instead of the file system. If called more than once, the last
    /// call wins.
    /// </summary>
    /// <param name="builder">The builder.</param>
    /// <param name="factory">Creates the storage, once. If it is disposable, it is disposed with the app.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder UseStorage(this IAcmeHttpsBuilder builder, Func<IServiceProvider, IAcmeStorage> factory)
    {
        builder.Services.Replace(ServiceDescriptor.Singleton(factory));
        return builder;
    }

    /// <summary>
    /// Keeps accounts, certificates and their states in a custom storage instead of the file system. If called more than once, the last
    /// call wins.
    /// </summary>
    /// <typeparam name="TStorage">The storage: a singleton, whose constructor can have services as parameters.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder UseStorage<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TStorage>(this IAcmeHttpsBuilder builder)
        where TStorage : class, IAcmeStorage
    {
        builder.Services.Replace(ServiceDescriptor.Singleton<IAcmeStorage, TStorage>());
        return builder;
    }

    /// <summary>Adds a handler for a type of challenge. If several handlers have the same type, the last one wins.</summary>
    /// <typeparam name="THandler">The handler: a singleton that several orders call concurrently.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddChallengeHandler<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(this IAcmeHttpsBuilder builder)
        where THandler : class, IChallengeHandler
    {
        builder.Services.AddSingleton<IChallengeHandler, THandler>();
        return builder;
    }

    /// <summary>Adds a handler that is called if a certificate is obtained or renewed, or if an attempt fails.</summary>
    /// <typeparam name="TEvents">The handler: a singleton. Its exceptions are logged and have no other effect.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddCertificateEventHandler<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TEvents>(this IAcmeHttpsBuilder builder)
        where TEvents : class, ICertificateEventHandler
    {
        builder.Services.AddSingleton<ICertificateEventHandler, TEvents>();
        return builder;
    }

    /// <summary>Adds a source of names that change at run time. KestrelAcme obtains one certificate for each name.</summary>
    /// <typeparam name="TSource">The source: a singleton. While it fails, its last names are kept.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDomainSource<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TSource>(this IAcmeHttpsBuilder builder)
        where TSource : class, IDomainSource
    {
        builder.Services.AddSingleton<IDomainSource, TSource>();
        return builder;
    }
}

/// <summary>The result of <c>AddAcmeHttps</c>, to add storages, challenge handlers, DNS providers and event handlers.</summary>
public interface IAcmeHttpsBuilder
{
    /// <summary>The app's services.</summary>
    IServiceCollection Services { get; }
}

/// <summary>The builder that <c>AddAcmeHttps</c> returns.</summary>
internal sealed record AcmeHttpsBuilder(IServiceCollection Services) : IAcmeHttpsBuilder;
