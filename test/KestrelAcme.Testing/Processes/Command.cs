using System.Diagnostics;
using Xunit;

namespace KestrelAcme.Testing.Processes;

/// <summary>Runs commands to completion.</summary>
public static class Command
{
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromMinutes(2);

    /// <summary>Runs a command without a shell, whatever its exit code.</summary>
    /// <exception cref="TimeoutException">It was killed after <paramref name="timeout"/> (two minutes by default).</exception>
    public static async Task<CommandResult> RunAsync(
        string file, IEnumerable<string> arguments, string standardInput =
            "", TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        using var process = new Process { StartInfo = BoundToParent.CreateStartInfo(file, arguments) };
        using var clock = new CancellationTokenSource(timeout ?? DefaultTimeout, TimeProvider.System);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, clock.Token);
        BoundToParent.Start(process);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(deadline.Token);
            var error = process.StandardError.ReadToEndAsync(deadline.Token);
            await WriteAsync(process, standardInput);
            await process.WaitForExitAsync(deadline.Token);
            return new CommandResult(process.ExitCode, await output, await error);
        }
        catch (OperationCanceledException) when (clock.IsCancellationRequested)
        {
            throw new TimeoutException($"{file} {string.Join(' ', arguments)} did not end in time.");
        }
        finally
        {
            Signals.Kill(process);
        }
    }

    /// <summary>Runs a command and fails the test unless its exit code is 0.</summary>
    /// <returns>Its standard output.</returns>
    public static async Task<string> RunToSuccessAsync(
        string file, IEnumerable<string> arguments, string standardInput = "", CancellationToken cancellationToken = default)
    {
        var result = await RunAsync(file, arguments, standardInput, null, cancellationToken);
        Assert.True(
            result.ExitCode == 0,
            $"{Path.GetFileName(file)} {string.Join(' ', arguments)} ended with {result.ExitCode}:\n{result.Output}");
        return result.StandardOutput;
    }

    private static async Task WriteAsync(Process process, string standardInput)
    {
        try
        {
            await process.StandardInput.WriteAsync(standardInput);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The process ended without reading all of its input; the exit code tells the rest.
        }
    }
}
