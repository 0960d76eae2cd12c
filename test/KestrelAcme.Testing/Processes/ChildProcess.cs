using System.Diagnostics;

namespace KestrelAcme.Testing.Processes;

/// <summary>
/// A process started by a test that never outlives it: disposal kills it, and the kernel does if the test process itself ends. Standard
/// output and error are read as lines.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly LineLog _lines;
    private bool _disposed;

    private ChildProcess(Process process, LineLog lines, string name) => (_process, _lines, Name) = (process, lines, name);

    /// <summary>The executable's name.</summary>
    public string Name { get; }

    /// <summary>The process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether the process has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>The exit code, once the process has ended (128 plus the signal's number if a signal ended it).</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>
    /// The lines written to standard output and standard error so far; the oldest are dropped after 20,000.
    /// </summary>
    public IReadOnlyList<string> Lines => _lines.Snapshot();

    /// <summary><see cref="Lines"/> as one text.</summary>
    public string Output => string.Join('\n', Lines);

    /// <summary>Starts <paramref name="file"/> without a shell and with an empty standard input.</summary>
    /// <param name="file">Name (looked up in PATH) or path.</param>
    /// <param name="arguments">One string per argument.</param>
    /// <param name="environment">Variables to set, or to remove where the value is null.</param>
    /// <param name="workingFolder">The working folder; by default the test's own.</param>
    public static ChildProcess Start(
        string file, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null, string? workingFolder = null)
    {
        var lines = new LineLog();
        var process = new Process { StartInfo = BoundToParent.CreateStartInfo(file, arguments), EnableRaisingEvents = true };
        process.StartInfo.WorkingDirectory = workingFolder ?? "";
        // A .NET process that is killed leaves its diagnostic pipes in the temporary folder.
        process.StartInfo.Environment["DOTNET_EnableDiagnostics"] = "0";
        foreach (var (key, value) in environment ?? new Dictionary<string, string?>())
        {
            process.StartInfo.Environment[key] = value;
        }

        process.OutputDataReceived += (_, line) => lines.Add(line.Data);
        process.ErrorDataReceived += (_, line) => lines.Add(line.Data);
        process.Exited += (_, _) => lines.Wake();
        BoundToParent.Start(process);
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ChildProcess(process, lines, Path.GetFileName(file));
    }

    /// <summary>Waits for a line that contains <paramref name="text"/> and returns it. Earlier lines count, too.</summary>
    /// <exception cref="TimeoutException">There was no such line in time; the message quotes the output.</exception>
    /// <exception cref="InvalidOperationException">The process ended without writing such a line.</exception>
    public Task<string> WaitForLineAsync(string text, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        WaitForLineAsync(line => line.Contains(text, StringComparison.Ordinal), $"a line with '{text}'", timeout, cancellationToken);

    /// <summary>Waits for a line that satisfies <paramref name="match"/> and returns it. Earlier lines count, too.</summary>
    public async Task<string> WaitForLineAsync(
        Func<string, bool> match, string what, TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(match);
        try
        {
            return await _lines.WaitAsync(match, () => _process.HasExited, cancellationToken).WaitAsync(
                timeout ?? DefaultTimeout, TimeProvider.System, cancellationToken)
                ?? throw new InvalidOperationException($"{Name} ended before it wrote {what}. Output:\n{Output}");
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name} did not write {what} in time. Output:\n{Output}");
        }
    }

    /// <summary>Kills the process (SIGKILL) and waits until it has ended. Harmless if it already has.</summary>
    public async Task KillAsync(CancellationToken cancellationToken = default)
    {
        Signals.Kill(_process);
        await _process.WaitForExitAsync(cancellationToken);
    }

    /// <summary>Stops the process wherever it is (SIGSTOP), until <see cref="Continue"/>. Linux only.</summary>
    public void Pause() => Signals.Stop(_process);

    /// <summary>Lets the process go on (SIGCONT).</summary>
    public void Continue() => Signals.Continue(_process);

    /// <summary>Asks the process to end (SIGTERM), waits, and kills it if it does not end in time.</summary>
    /// <returns>Whether it ended by itself.</returns>
    public async Task<bool> StopAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        Signals.Terminate(_process);
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(timeout ?? DefaultTimeout, TimeProvider.System, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            await KillAsync(cancellationToken);
            return false;
        }
    }

    /// <summary>Waits until the process ends and all its output is read.</summary>
    /// <returns>The exit code.</returns>
    public async Task<int> WaitForExitAsync(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(timeout ?? DefaultTimeout, TimeProvider.System, cancellationToken);
            return _process.ExitCode;
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{Name} (process {Id}) did not end in time. Output:\n{Output}");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        await KillAsync();
        _process.Dispose();
    }
}
