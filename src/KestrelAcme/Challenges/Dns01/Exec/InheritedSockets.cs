using System.Globalization;
using System.Runtime.InteropServices;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// The listening sockets that systemd hands to the app: unlike those that .NET opens, every program that the app starts inherits them.
/// One that goes on running would then hold the ports, and could answer on them.
/// </summary>
internal static partial class InheritedSockets
{
    private const int First = 3;
    private const int MaxCount = 4096;
    private const int SetFlags = 2;
    private const int CloseOnExec = 1;

    /// <summary>Keeps them from programs that are started from now on, if they were handed to this process. The app uses them as before.</summary>
    public static void Hide(string? listenPid, string? listenFds)
    {
        if (OperatingSystem.IsLinux()
            && int.TryParse(listenPid, NumberStyles.None, CultureInfo.InvariantCulture, out var process) && process == Environment.ProcessId
            && int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            for (var descriptor = First; descriptor < First + Math.Min(count, MaxCount); descriptor++)
            {
                _ = Control(descriptor, SetFlags, CloseOnExec); // One that is closed by now is no matter.
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "fcntl")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int descriptor, int command, int argument);
}
