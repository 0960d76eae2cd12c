using System.Collections.Concurrent;
using System.Diagnostics;

namespace KestrelAcme.Testing.Processes;

/// <summary>
/// Starts processes that the kernel kills when this one ends for any reason (`setpriv --pdeathsig`). Linux ties that signal to the
/// *thread* that forked, so all processes are started from one thread that never ends. Without `setpriv`, only disposal ends them.
/// </summary>
internal static class BoundToParent
{
    private static readonly BlockingCollection<Action> Work = [];
    private static readonly string? SetPriv = Executable.Find("setpriv");

    static BoundToParent() => new Thread(Run) { IsBackground = true, Name = "Starts child processes" }.Start();

    public static ProcessStartInfo CreateStartInfo(string file, IEnumerable<string> arguments)
    {
        string[] command = SetPriv is null ? [file] : [SetPriv, "--pdeathsig", "KILL", "--", file];
        return new ProcessStartInfo(command[0], [.. command.Skip(1), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
    }

    public static void Start(Process process)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Work.Add(() =>
        {
            try
            {
                process.Start();
                started.SetResult();
            }
            catch (Exception exception)
            {
                started.SetException(exception);
            }
        });
        started.Task.GetAwaiter().GetResult();
    }

    private static void Run()
    {
        foreach (var action in Work.GetConsumingEnumerable())
        {
            action();
        }
    }
}
