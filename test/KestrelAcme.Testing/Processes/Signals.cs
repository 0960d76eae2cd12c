using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace KestrelAcme.Testing.Processes;

/// <summary>Ends or stops one process by its id.</summary>
internal static class Signals
{
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;
    private const int NoSuchProcess = 3;

    public static void Kill(Process process)
    {
        try
        {
            // Killing looks at every thread of the machine for descendants, even of a process that has ended.
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended.
        }
    }

    public static void Terminate(Process process)
    {
        if (process.HasExited)
        {
            return;
        }

        if (OperatingSystem.IsWindows())
        {
            Kill(process); // Windows has no way to ask a process without a window to end.
        }
        else if (SendSignal(process.Id, SigTerm) != 0 && Marshal.GetLastPInvokeError() is not NoSuchProcess and var error)
        {
            throw new Win32Exception(error);
        }
    }

    /// <summary>Stops a process wherever it is, until <see cref="Continue"/>. Linux only.</summary>
    public static void Stop(Process process) => _ = SendSignal(process.Id, SigStop);

    public static void Continue(Process process) => _ = SendSignal(process.Id, SigContinue);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int process, int signal);
}
