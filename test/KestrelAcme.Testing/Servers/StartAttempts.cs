using KestrelAcme.Testing.Processes;

namespace KestrelAcme.Testing.Servers;

/// <summary>Starts a server on ports that were just free; if it fails to start, tries again with others.</summary>
internal static class StartAttempts
{
    private const int Limit = 3;

    public static async Task<T> RunAsync<T>(Func<Task<T>> start)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await start();
            }
            catch (ServerStartException) when (attempt < Limit)
            {
                // The loop picks other ports.
            }
        }
    }

    /// <summary>Waits until <paramref name="answers"/> is true; stops waiting if the process ends.</summary>
    public static async Task UntilAnswersAsync(
        ChildProcess process, Func<CancellationToken, Task<bool>> answers, CancellationToken cancellationToken)
    {
        await Poll.UntilAsync(
            async token => process.HasExited || await answers(token),
            $"{process.Name} to answer",
            cancellationToken: cancellationToken);
        if (process.HasExited)
        {
            throw new ServerStartException($"{process.Name} ended with code {process.ExitCode}. Output:\n{process.Output}");
        }
    }
}
