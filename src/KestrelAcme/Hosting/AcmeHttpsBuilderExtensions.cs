using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Certificates;
using KestrelAcme.Challenges;
using KestrelAcme.Storage;
using Microsoft.Extensions.DependencyInjection.Extensions;

// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>The verbs of <see cref="IAcmeHttpsBuilder"/>.</summary>
public static class AcmeHttpsBuilderExtensions
{
    /// <summary>Keeps accounts, certificates and states in a store of your own instead of the file system. Of several calls the last one counts.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="factory">Makes the store, once. If it is disposable, it is disposed with the application.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder UseStorage(this IAcmeHttpsBuilder builder, Func<IServiceProvider, IAcmeStorage> factory)
    {
        builder.Services.Replace(ServiceDescriptor.Singleton(factory));
        return builder;
    }

    /// <summary>Keeps accounts, certificates and states in a store of your own instead of the file system. Of several calls the last one counts.</summary>
    /// <typeparam name="TStorage">The store: made once, with what its constructor asks of the services.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder UseStorage<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TStorage>(this IAcmeHttpsBuilder builder)
        where TStorage : class, IAcmeStorage
    {
        builder.Services.Replace(ServiceDescriptor.Singleton<IAcmeStorage, TStorage>());
        return builder;
    }

    /// <summary>Adds a challenge handler; for a type that is answered already, the one added last wins.</summary>
    /// <typeparam name="THandler">The handler: made once, and called by several orders at once.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddChallengeHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] THandler>(this IAcmeHttpsBuilder builder)
        where THandler : class, IChallengeHandler
    {
        builder.Services.AddSingleton<IChallengeHandler, THandler>();
        return builder;
    }

    /// <summary>Adds a listener that is told when certificates are obtained, renewed, or fail.</summary>
    /// <typeparam name="TEvents">The listener: made once. What it throws is logged and changes nothing.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddCertificateEventHandler<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TEvents>(this IAcmeHttpsBuilder builder)
        where TEvents : class, ICertificateEventHandler
    {
        builder.Services.AddSingleton<ICertificateEventHandler, TEvents>();
        return builder;
    }

    /// <summary>Adds a source of names that come and go at run time; each gets a certificate of its own.</summary>
    /// <typeparam name="TSource">The source: made once. While it fails, the names that it had are kept.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <returns>The builder.</returns>
    public static IAcmeHttpsBuilder AddDomainSource<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TSource>(this IAcmeHttpsBuilder builder)
        where TSource : class, IDomainSource
    {
        builder.Services.AddSingleton<IDomainSource, TSource>();
        return builder;
    }
}
