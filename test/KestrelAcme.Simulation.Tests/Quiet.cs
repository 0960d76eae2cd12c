namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Tells when all that could run has run. The thread pool of this process has one thread (see the project file), and who asks is on it:
/// the last work item in the queue that sees nothing behind it is the only one left. No clock and no load of the
/// machine has a say in that.
/// </summary>
internal static class Quiet
{
    // What is busy for so many turns without the time going on will be busy for ever.
    private const int MostTurns = 5_000_000;

    /// <summary>Completes when nothing is left to run until a timer fires.</summary>
    public static async Task WhenIdleAsync()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        if (most != 1)
        {
            throw new InvalidOperationException($"The thread pool may have {most} threads, and must have one.");
        }

        var turns = 0;
        do
        {
            await new Turn();
            if (++turns > MostTurns)
            {
                throw new TimeoutException(
                    $"Something runs without end while the time stands still: {ThreadPool.PendingWorkItemCount} works wait.");
            }
        }
        while (ThreadPool.PendingWorkItemCount > 0);
    }
}
