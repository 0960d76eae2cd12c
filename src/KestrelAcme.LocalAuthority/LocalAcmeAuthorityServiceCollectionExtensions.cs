using KestrelAcme.LocalAuthority;
using KestrelAcme.LocalAuthority.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// The namespace in which ASP.NET Core apps look for registration methods.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Runs a <see cref="LocalAcmeAuthority"/> inside an app.</summary>
public static class LocalAcmeAuthorityServiceCollectionExtensions
{
    /// <summary>
    /// Adds a CA that starts before the app's other hosted services and stops after them. Further calls return the same CA. This call takes
    /// no port and writes no file: that happens when the app starts, or earlier if a property of the returned object needs it, such as <see
    /// cref="LocalAcmeAuthority.DirectoryUrl"/> or <see cref="LocalAcmeAuthority.RootPemPath"/>. Read them in a callback such as that of
    /// <c>AddAcmeHttps(options =&gt; ...)</c>, which runs when the app starts.
    /// </summary>
    /// <param name="services">The app's services.</param>
    /// <param name="configure">Configures the CA's options; null for the defaults.</param>
    /// <returns>The CA. The host stops it.</returns>
    /// <exception cref="InvalidOperationException">
    /// The environment is not Development and <see cref="LocalAcmeAuthorityOptions.AllowOutsideDevelopment"/> is not set. Thrown by this
    /// call if the environment is already known, otherwise when the app starts, as if a configured port is taken or the folder cannot be
    /// used.
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
