using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace KestrelAcme.Configuration.Snapshot;

/// <summary>What the configuration is checked against beside itself.</summary>
internal sealed record EnvironmentFacts
{
    private const int MaxFileLength = 1024 * 1024;

    /// <summary>Whether the app runs in Development.</summary>
    public required bool IsDevelopment { get; init; }

    /// <summary>Where relative paths count from.</summary>
    public required string ContentRootPath { get; init; }

    /// <summary>The user's folder for application data; empty when there is none.</summary>
    public required string ApplicationDataPath { get; init; }

    /// <summary>The server that answers instead of Kestrel, such as that of tests or of a tool that starts the app at build time; <see langword="null"/> for Kestrel, or for none.</summary>
    public string? OtherServer { get; init; }

    /// <summary>The types of DNS provider that were added to the services.</summary>
    public IReadOnlyList<DnsProviderType> DnsProviderTypes { get; init; } = [];

    /// <summary>The challenge types of moving drafts that were asked for in code.</summary>
    public IReadOnlyList<string> ExperimentalChallengeTypes { get; init; } = [];

    /// <summary>Reads a file. Throws what <see cref="File.OpenText(string)"/> throws.</summary>
    public required Func<string, string> ReadFile { get; init; }

    /// <summary>The facts of the running host. Files are read up to 1 MiB.</summary>
    /// <param name="environment">The host's environment; <see langword="null"/> outside a host.</param>
    public static EnvironmentFacts Of(IHostEnvironment? environment) => new()
    {
        IsDevelopment = environment?.IsDevelopment() ?? false,
        ContentRootPath = environment?.ContentRootPath ?? AppContext.BaseDirectory,

        // Not verified: a service's user often has a home that does not exist yet.
        ApplicationDataPath = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        ReadFile = ReadBounded,
    };

    /// <summary>The server that is registered last, and so is used, when it is certain to be another one than Kestrel.</summary>
    public static string? FindOtherServer(IServiceCollection services)
    {
        // By its registration: making the server at this point would make Kestrel before the app is configured.
        var server = services.LastOrDefault(service => service.ServiceType == typeof(IServer) && !service.IsKeyedService);
        var name = (server?.ImplementationType ?? server?.ImplementationInstance?.GetType())?.FullName;
        return name is null || name.StartsWith("Microsoft.AspNetCore.Server.Kestrel.", StringComparison.Ordinal) ? null : name;
    }

    /// <summary>Reads a file of up to 1 MiB.</summary>
    /// <exception cref="IOException">It cannot be read, or is longer.</exception>
    public static string ReadBounded(string path)
    {
        using var reader = new StreamReader(path);
        var buffer = new char[MaxFileLength + 1];
        var length = reader.ReadBlock(buffer);
        return length <= MaxFileLength ? new string(buffer, 0, length) : throw new IOException($"It is longer than {MaxFileLength} characters.");
    }
}
