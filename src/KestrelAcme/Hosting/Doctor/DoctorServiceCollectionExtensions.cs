using KestrelAcme.Certificates.Model;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Registers the doctor.</summary>
internal static class DoctorServiceCollectionExtensions
{
    /// <summary>The argument that runs the doctor instead of the app.</summary>
    public const string Argument = "--acme-doctor";

    /// <summary>Registers the doctor, and puts it in the place of the app if the command line asks for it.</summary>
    public static void AddDoctor(this IServiceCollection services)
    {
        services.TryAddSingleton<CallDoctor>(static provider => () => provider.GetRequiredService<IDoctor>());
        services.TryAddSingleton<IDoctor, Doctor>();
        services.TryAddSingleton<FailureFollowUp>();
        services.TryAddSingleton<NamesExaminer>();
        services.TryAddSingleton<NameExaminer>();
        services.TryAddSingleton<ServerExaminer>();
        services.TryAddSingleton<AuthorityExaminer>();
        services.TryAddSingleton<StoreExaminer>();
        services.TryAddSingleton<ImportExaminer>();
        services.TryAddSingleton(static _ => ClientFolders.Usual);
        services.TryAddSingleton<DoctorObstacles>();
        services.TryAddSingleton<DoctorHost>();
        services.TryAddSingleton(new HostedServices(services));

        if (IsRequested(Environment.GetCommandLineArgs()))
        {
            services.ReplaceAppByDoctor();
        }
    }

    /// <summary>Whether a command line asks for the doctor.</summary>
    public static bool IsRequested(string[] arguments)
        => Array.Exists(arguments, static a => a.Equals(Argument, StringComparison.OrdinalIgnoreCase));

    /// <summary>Makes the host start the doctor and none of the app's services. Only its report is printed.</summary>
    public static void ReplaceAppByDoctor(this IServiceCollection services)
    {
        // An exact registration comes before the list of all registered services.
        services.AddSingleton<IEnumerable<IHostedService>>(static provider => [provider.GetRequiredService<DoctorHost>()]);
        services.AddSingleton<IStartupValidator, NoStartupValidator>();
        services.AddSingleton<IConnectionListenerFactory, DoctorListenerFactory>();
        services.AddSingleton<IEnumerable<IMultiplexedConnectionListenerFactory>>(
            _ => services.Any(static d => d.ServiceType == typeof(IMultiplexedConnectionListenerFactory)) ? [new DoctorQuic()] : []);
        services.PostConfigure<LoggerFilterOptions>(static options =>
        {
            options.Rules.Clear();
            options.MinLevel = LogLevel.None;
        });
    }

    /// <summary>The doctor reports invalid options itself, and starts nothing that needs those of others.</summary>
    private sealed class NoStartupValidator : IStartupValidator
    {
        public void Validate()
        {
        }
    }
}
