using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// Runs a program of the operator: without a shell, with few environment variables, for a limited time, and with the end of its output.
/// </summary>
/// <param name="program">The full path of the program.</param>
/// <param name="passed">The names of the app's environment variables that it gets besides those that any program needs.</param>
/// <param name="timeout">After this time it is killed, with its children.</param>
/// <param name="time">The clock.</param>
internal sealed class HookProcess(string program, IReadOnlyCollection<string> passed, TimeSpan timeout, TimeProvider time)
{
    private static readonly TimeSpan OutputTime = TimeSpan.FromSeconds(1);

    /// <summary>Runs the program once.</summary>
    /// <exception cref="Win32Exception">It could not be started.</exception>
    public async Task<HookResult> RunAsync(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string> variables, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var limit = new TimeLimit(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var process = Start(arguments, variables);
        using var reading = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (output, errors) = (new OutputTail(), new OutputTail());
        var readers = Task.WhenAll(
            output.ReadAsync(process.StandardOutput, reading.Token),
            errors.ReadAsync(process.StandardError, reading.Token));
        try
        {
            var ended = await EndAsync(process, both.Token, cancellationToken);

            // A child process that keeps running may hold the output open, so only the program's own exit counts.
            await Task.WhenAny(readers, Task.Delay(OutputTime, time, cancellationToken));
            cancellationToken.ThrowIfCancellationRequested();
            await StopReadingAsync(reading, readers);
            return new HookResult(ended ? process.ExitCode : null, OutputTail.Show(output, errors), timeout);
        }
        finally
        {
            Kill(process);
            await StopReadingAsync(reading, readers);
        }
    }

    private static async Task StopReadingAsync(CancellationTokenSource reading, Task readers)
    {
        await reading.CancelQuietlyAsync();
        await readers.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Waits for the program to exit, and kills it after the timeout. Returns whether it exited in time.</summary>
    private static async Task<bool> EndAsync(Process process, CancellationToken untilTimeIsOver, CancellationToken cancellationToken)
    {
        try
        {
            await process.WaitForExitAsync(untilTimeIsOver);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Kill(process);
            return false;
        }
    }

    private Process Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string> variables)
    {
        InheritedSockets.Hide(Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"));
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in HookEnvironment.Of(Environment.GetEnvironmentVariables(), passed).Concat(variables))
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start) ?? throw new Win32Exception("could not be started");
        process.StandardInput.Close();
        return process;
    }

    // Including its children, because otherwise a script that waits for a hanging program would leave that behind.
    private static void Kill(Process process)
    {
        try
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or Win32Exception)
        {
            // It exited in the meantime.
        }
    }
}

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">Its exit code; <see langword="null"/> if it was killed, because its time was over.</param>
/// <param name="Written">The end of what it wrote, in one line.</param>
/// <param name="Timeout">Its time.</param>
internal sealed record HookResult(int? ExitCode, string Written, TimeSpan Timeout)
{
    // The exit codes of env and of shells if a program cannot be executed or is not found.
    private const int CannotExecute = 126;
    private const int NotFound = 127;

    /// <summary>Whether it may not have been run at all.</summary>
    public bool MayNotHaveRun => ExitCode is CannotExecute or NotFound;

    /// <summary>What went wrong, after the name of the program; <see langword="null"/> if nothing did.</summary>
    public string? Failure => ExitCode switch
    {
        0 => null,
        { } code => $"exited with code {code}: {(Written.Length == 0 ? "it wrote nothing" : Written)}",
        null => $"did not exit within {Timeout.TotalSeconds:0.#} s and was killed" + (Written.Length == 0 ? "" : $"; it wrote: {Written}"),
    };
}

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
