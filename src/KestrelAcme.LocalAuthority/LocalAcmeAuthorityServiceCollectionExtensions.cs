using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// Where ASP.NET Core apps look for the verbs of their services.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Runs a <see cref="LocalAcmeAuthority"/> inside an app.</summary>
public static class LocalAcmeAuthorityServiceCollectionExtensions
{
    /// <summary>
    /// Adds an authority that starts before the app's other hosted services and ends after them. Its ports are reserved and its root is made
    /// or loaded at once, so that what it returns can be configured from right away. A second call returns the same authority.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Sets the authority's options; null for the defaults.</param>
    /// <returns>The authority. The host ends it.</returns>
    /// <exception cref="InvalidOperationException">
    /// The environment is not Development and <see cref="LocalAcmeAuthorityOptions.AllowOutsideDevelopment"/> is not set (thrown here when the
    /// environment is known here, else when the app starts); a port that was named is taken; the folder cannot be used.
    /// </exception>
    public static LocalAcmeAuthority AddLocalAcmeAuthority(
        this IServiceCollection services, Action<LocalAcmeAuthorityOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        if (FindInstance<LocalAcmeAuthority>(services) is { } existing)
        {
            return existing;
        }

        var options = new LocalAcmeAuthorityOptions();
        configure?.Invoke(options);
        if (FindInstance<IHostEnvironment>(services) is { } environment)
        {
            LocalAcmeAuthorityService.RequireDevelopment(options, environment);
        }

        var authority = new LocalAcmeAuthority(options, inApp: true);
        services.AddSingleton(authority);
        services.AddLogging();
        services.Insert(0, ServiceDescriptor.Singleton<IHostedService>(provider => new LocalAcmeAuthorityService(
            authority, options, provider.GetRequiredService<IHostEnvironment>(), provider.GetRequiredService<ILoggerFactory>())));
        return authority;
    }

    private static T? FindInstance<T>(IServiceCollection services)
        where T : class =>
        services.LastOrDefault(s => s.ServiceType == typeof(T) && !s.IsKeyedService)?.ImplementationInstance as T;
}
