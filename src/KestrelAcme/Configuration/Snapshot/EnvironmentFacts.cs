using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>The environment that the configuration is validated against.</summary>
internal sealed record EnvironmentFacts
{
    private const int MaxFileLength = 1024 * 1024;

    /// <summary>Whether the app runs in Development.</summary>
    public required bool IsDevelopment { get; init; }

    /// <summary>The folder that relative paths are resolved against.</summary>
    public required string ContentRootPath { get; init; }

    /// <summary>The user's folder for application data; empty if there is none.</summary>
    public required string ApplicationDataPath { get; init; }

    /// <summary>
    /// The server that is used instead of Kestrel, such as a test server or that of a tool that starts the app at build time;
    /// <see langword="null"/> if it is Kestrel, or if there is none.
    /// </summary>
    public string? OtherServer { get; init; }

    /// <summary>The registered types of DNS provider.</summary>
    public IReadOnlyList<DnsProviderType> DnsProviderTypes { get; init; } = [];

    /// <summary>The challenge types from drafts that the app allowed in code.</summary>
    public IReadOnlyList<string> ExperimentalChallengeTypes { get; init; } = [];

    /// <summary>Reads a file. Throws the same exceptions as <see cref="File.OpenText(string)"/>.</summary>
    public required Func<string, string> ReadFile { get; init; }

    /// <summary>Returns the facts of the running host. Files are read up to 1 MiB.</summary>
    /// <param name="environment">The host's environment; <see langword="null"/> outside a host.</param>
    public static EnvironmentFacts Of(IHostEnvironment? environment) => new()
    {
        IsDevelopment = environment?.IsDevelopment() ?? false,
        ContentRootPath = environment?.ContentRootPath ?? AppContext.BaseDirectory,

        // Not verified, since the home folder of a service's user often does not exist yet.
        ApplicationDataPath = Environment.GetFolderPath(
            Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        ReadFile = ReadBounded,
    };

    /// <summary>Returns the type of the server that is registered last, which is the one in use, if it is certainly not Kestrel.</summary>
    public static string? FindOtherServer(IServiceCollection services)
    {
        // Only the registration is inspected: resolving the server here would create Kestrel before the app is configured.
        var server = services.LastOrDefault(service => service.ServiceType == typeof(IServer) && !service.IsKeyedService);
        var name = (server?.ImplementationType ?? server?.ImplementationInstance?.GetType())?.FullName;
        return name is null ? FindTestServer(server)
            : name.StartsWith("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) ? null
            : name;
    }

    // Since .NET 10, WebApplicationFactory registers its server with a factory method of its own or of a derived class.
    private static string? FindTestServer(ServiceDescriptor? server)
    {
        for (var type = server?.ImplementationFactory?.Method.DeclaringType; type is not null; type = type.BaseType)
        {
            if (type.Assembly.GetName().Name == "Microsoft.AspNetCore.Mvc.Testing")
            {
                return "Microsoft.AspNetCore.TestHost.TestServer";
            }
        }

        return null;
    }

    /// <summary>Reads a file of up to 1 MiB.</summary>
    /// <exception cref="IOException">The file cannot be read, or is longer.</exception>
    public static string ReadBounded(string path)
    {
        using var reader = new StreamReader(path);
        var buffer = new char[MaxFileLength + 1];
        var length = reader.ReadBlock(buffer);
        return length <= MaxFileLength
            ? new string(buffer, 0, length)
            : throw new IOException($"The file is longer than {MaxFileLength} characters.");
    }
}

/// <summary>A challenge type from a draft that the app allowed in code.</summary>
internal sealed record ExperimentalChallengeType(string Name);
