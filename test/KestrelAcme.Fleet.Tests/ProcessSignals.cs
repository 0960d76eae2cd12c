using System.ComponentModel;
using System.Runtime.InteropServices;

namespace KestrelAcme.Fleet.Tests;

/// <summary>Stops a process in its tracks and lets it go on.</summary>
internal static class ProcessSignals
{
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int process, int signal)
    {
        if (SendSignal(process, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
