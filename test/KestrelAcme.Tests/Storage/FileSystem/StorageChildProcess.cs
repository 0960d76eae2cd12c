using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Tests.Storage.FileSystem;

/// <summary>Another instance of the app in its own process.</summary>
internal static class StorageChildProcess
{
    public static IReadOnlyList<string> Command(params string[] arguments)
    {
        var dotnet = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return [dotnet, "exec", Path.Join(AppContext.BaseDirectory, "KestrelAcme.StorageChild.dll"), .. arguments];
    }

    public static ChildProcess Start(params string[] arguments)
    {
        var command = Command(arguments);
        return ChildProcess.Start(command[0], command.Skip(1));
    }

    /// <summary>Starts an instance whose file locks exclude no other one, and whose clock has another date.</summary>
    public static ChildProcess StartOnShare(int daysAhead, params string[] arguments)
    {
        var command = Command(arguments);
        return ChildProcess.Start(
            command[0],
            command.Skip(1),
            new Dictionary<string, string?> { ["STORAGE_LOCKS"] = "local", ["STORAGE_DAYS_AHEAD"] = $"{daysAhead}" });
    }
}
