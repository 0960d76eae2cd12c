namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Tells when all that could run has run: the thread pool has nothing to do. Holds only where no test runs beside this one and all waiting is for a fake clock,
/// and only when asked from a thread that is not of the pool.
/// </summary>
internal static class Quiet
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static void Wait()
    {
        var spin = new SpinWait();
        var started = TimeProvider.System.GetTimestamp();
        while (!IsIdle())
        {
            spin.SpinOnce(sleep1Threshold: -1);
            if (spin.Count % 1000 == 999 && TimeProvider.System.GetElapsedTime(started) > Limit)
            {
                throw new TimeoutException($"The thread pool was not idle for {Limit.TotalSeconds:0} s: {ThreadPool.PendingWorkItemCount} works wait.");
            }
        }
    }

    private static bool IsIdle()
    {
        ThreadPool.GetMaxThreads(out var most, out _);
        ThreadPool.GetAvailableThreads(out var free, out _);
        return free == most && ThreadPool.PendingWorkItemCount == 0;
    }
}
