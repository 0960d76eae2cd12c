using System.Net;
using System.Net.Sockets;
using KestrelAcme.Testing.Processes;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.Samples.Tests;

/// <summary>A sample that was built, to run in a process of its own.</summary>
internal static class BuiltSample
{
    /// <summary>The folder of a sample's sources.</summary>
    public static string Folder(string name) => Path.GetFullPath(Path.Combine(ProjectFolder(), "..", "..", "samples", name));

    /// <summary>The root of the repository.</summary>
    public static string Root() => Path.GetFullPath(Path.Combine(ProjectFolder(), "..", ".."));

    /// <summary>Starts a sample in a folder of the test, with the settings of the sample.</summary>
    public static ChildProcess Start(
        string name, string folder, IReadOnlyDictionary<string, string?> environment, params string[] arguments)
    {
        File.Copy(Path.Combine(Folder(name), "appsettings.json"), Path.Combine(folder, "appsettings.json"), overwrite: true);
        var program = Path.Combine(Output(name), $"{name}.dll");
        return ChildProcess.Start(Dotnet(), ["exec", program, .. arguments], environment, folder);
    }

    /// <summary>The folder that a sample was built to.</summary>
    public static string Output(string name) => Path.Combine(Folder(name), OutputFolder());

    /// <summary>
    /// A client that sends the server name, connects to the sample's port, and trusts only the root of its authority. It keeps cookies.
    /// </summary>
    public static HttpClient Client(string authorityFolder, int port)
    {
        var root = Directory.EnumerateFiles(authorityFolder, "*.pem").Select(File.ReadAllText)
            .Single(pem => !pem.Contains("PRIVATE", StringComparison.Ordinal));
        var handler = TrustingClient.CreateHandler(root);
        handler.UseCookies = true;
        handler.ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        };
        return new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(30) };
    }

    // Both this project and the sample are built to bin/CONFIGURATION/FRAMEWORK.
    private static string OutputFolder() => Path.GetRelativePath(ProjectFolder(), AppContext.BaseDirectory);

    private static string ProjectFolder() => Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "..", ".."));

    private static string Dotnet()
        => Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
}
