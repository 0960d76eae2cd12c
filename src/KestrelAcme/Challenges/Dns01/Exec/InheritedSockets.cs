using System.Globalization;
using System.Runtime.InteropServices;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// The listening sockets that systemd passes to the app. Unlike sockets that .NET opens, they are inherited by every program that the app
/// starts. A program that keeps running would then hold the ports and could accept connections.
/// </summary>
internal static partial class InheritedSockets
{
    private const int First = 3;
    private const int MaxCount = 4096;
    private const int SetFlags = 2;
    private const int CloseOnExec = 1;

    /// <summary>
    /// Prevents programs started from now on from inheriting the sockets, if they were passed to this process. The app is not affected.
    /// </summary>
    public static void Hide(string? listenPid, string? listenFds)
    {
        if (OperatingSystem.IsLinux()
            && int.TryParse(listenPid, NumberStyles.None, CultureInfo.InvariantCulture, out var process) && process == Environment.ProcessId
            && int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            for (var descriptor = First; descriptor < First + Math.Min(count, MaxCount); descriptor++)
            {
                _ = Control(descriptor, SetFlags, CloseOnExec); // Fails harmlessly if the descriptor is already closed.
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command, int argument);
}
