using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges.Dns01.Exec;

/// <summary>
/// Runs a program of the operator: without a shell, with few environment variables, for a limited time, and with the end of its output.
/// </summary>
/// <param name="program">The full path of the program.</param>
/// <param name="passed">The names of the app's environment variables that it gets besides those that any program needs.</param>
/// <param name="timeout">After this time it is killed, with its children.</param>
/// <param name="time">The clock.</param>
internal sealed partial class HookProcess(string program, IReadOnlyCollection<string> passed, TimeSpan timeout, TimeProvider time)
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

    /// <summary>
    /// Reads the output of a program, so that it never blocks, and keeps the end of it, which usually contains the reason of a failure.
    /// </summary>
    private sealed partial class OutputTail
    {
        // More than is shown, because escape sequences are removed.
        private const int Kept = 8000;

        private readonly StringBuilder _text = new();

        /// <summary>Reads until the end or until canceled, and keeps what was read.</summary>
        public async Task ReadAsync(StreamReader reader, CancellationToken cancellationToken)
        {
            var buffer = new char[1024];
            try
            {
                int length;
                while ((length = await reader.ReadAsync(buffer, cancellationToken)) > 0)
                {
                    Append(buffer.AsSpan(0, length));
                }
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException)
            {
                // What was read so far is enough.
            }
        }

        /// <summary>Appends text.</summary>
        public void Append(ReadOnlySpan<char> text)
        {
            _text.Append(text);
            if (_text.Length > 2 * Kept)
            {
                _text.Remove(0, _text.Length - Kept);
            }
        }

        /// <summary>
        /// Returns the end of both streams in one line. Standard error comes last, and each stream gets at least half of the length.
        /// </summary>
        public static string Show(OutputTail output, OutputTail errors, int maxLength = QuotedText.MaxReplyLength)
        {
            var (written, failed) = (output.Words(), errors.Words());
            var lastErrors = Last(failed, Math.Max(maxLength / 2, maxLength - written.Length - 1));
            return written.Length == 0 ? lastErrors : $"{Last(written, maxLength - lastErrors.Length - 1)} {lastErrors}".TrimEnd();
        }

        private static string Last(string text, int maxLength)
        {
            if (text.Length <= maxLength)
            {
                return text;
            }

            // Starts at a word, so that no word, surrogate pair or escape is cut.
            var start = text.Length - maxLength + 1;
            var space = text.IndexOf(' ', start - 1);
            start = space >= 0 && space < text.Length - 1 && space - start < maxLength / 2 ? space + 1
                : char.IsLowSurrogate(text[start]) ? start + 1
                : start;
            return $"…{text[start..]}";
        }

        private string Words() => QuotedText.Words(EscapeSequence().Replace(_text.ToString(), ""), 16 * Kept);

        // ECMA-48: control sequences (CSI), control strings (OSC, DCS, SOS, PM, APC), and short escapes.
        [GeneratedRegex(
            "(?:\\u001b\\[|\\u009b)[0-?]*[ -/]*[@-~]?"
            + "|(?:\\u001b[\\]PX^_]|[\\u0090\\u0098\\u009d-\\u009f])[^\\u0007\\u001b\\u009c\\n]*(?:\\u0007|\\u001b\\\\|\\u009c)?"
            + "|\\u001b[ -/]*[0-~]?",
            RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
        private static partial Regex EscapeSequence();
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
