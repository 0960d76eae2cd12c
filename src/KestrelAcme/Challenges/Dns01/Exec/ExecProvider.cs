using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using KestrelAcme.Challenges.Dns01.Http;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>Runs a program for each change.</summary>
internal sealed class ExecProvider(DnsProviderSettings settings, TimeProvider time) : IDnsProvider
{
    // The exit codes of env and of shells if a program cannot be executed or is not found.
    private const int CannotExecute = 126;
    private const int NotFound = 127;
    private static readonly TimeSpan OutputTime = TimeSpan.FromSeconds(1);

    private readonly string[] _passed = HookEnvironment.Names(settings.Find(nameof(ExecOptions.EnvironmentVariables)));
    private readonly string _program = settings.Get(nameof(ExecOptions.Program));
    private readonly TimeSpan _timeout =
        ExecOptions.ReadTimeout(settings.Find(nameof(ExecOptions.Timeout))) ?? ExecOptions.DefaultTimeout;

    public string Description => $"the program {_program}";

    public Task CreateTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("present", record, cancellationToken);

    public Task DeleteTxtAsync(DnsTxtRecord record, CancellationToken cancellationToken) => RunAsync("cleanup", record, cancellationToken);

    private async Task RunAsync(string action, DnsTxtRecord record, CancellationToken cancellationToken)
    {
        CheckNames(action, record);
        cancellationToken.ThrowIfCancellationRequested();
        using var limit = new TimeLimit(_timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        using var process = Start(action, record);
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
            if (!ended || process.ExitCode != 0)
            {
                var written = OutputTail.Show(output, errors);
                throw Failure(
                    action,
                    record,
                    ended
                        ? $"exited with code {process.ExitCode}: {(written.Length == 0 ? "it wrote nothing" : written)}"
                        : $"did not exit within {_timeout.TotalSeconds:0.#} s and was killed"
                            + (written.Length == 0 ? "" : $"; it wrote: {written}"),
                    ended && process.ExitCode is (CannotExecute or NotFound) ? ProgramFile.FindProblem(_program) : null);
            }
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

    // A DNS name may contain any byte, and the program may pass its arguments to a shell.
    private void CheckNames(string action, DnsTxtRecord record)
    {
        if (!RecordNamePolicy.IsPlain(record.Name) || record.Name.StartsWith('-')
            || !(record.Zone is "" or "." || RecordNamePolicy.IsPlain(record.Zone)))
        {
            throw Failure(action, record, "was not run, because the names contain more than letters, digits, hyphens and underscores");
        }
    }

    private Process Start(string action, DnsTxtRecord record)
    {
        InheritedSockets.Hide(Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"));
        var start = new ProcessStartInfo(_program, [action, record.Name, record.Value])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        foreach (var (name, value) in HookEnvironment.Of(Environment.GetEnvironmentVariables(), _passed, record.Zone))
        {
            start.Environment[name] = value;
        }

        try
        {
            var process = Process.Start(start) ?? throw Failure(action, record, "could not be started");
            process.StandardInput.Close();
            return process;
        }
        catch (Win32Exception exception)
        {
            var why = ProgramFile.FindProblem(_program) is { } problem ? $"it {problem.Reason}. {problem.Fix}" : exception.Message;
            throw new DnsProviderException(
                DnsProviderFault.SetUpNeeded,
                $"The program {_program} could not be started for {QuotedText.Of(record.Name)} "
                + $"in zone {QuotedText.Of(record.Zone)}: {why}.",
                exception);
        }
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

    private DnsProviderException Failure(string action, DnsTxtRecord record, string what, (string Reason, string Fix)? cause = null)
        => new(
            cause is null ? DnsProviderFault.Refused : DnsProviderFault.SetUpNeeded,
            $"The program {_program} {action} {QuotedText.Of(record.Name)} (zone {QuotedText.Of(record.Zone)}) {what}."
            + (cause is { } found ? $" It {found.Reason}. {found.Fix}." : ""));
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
