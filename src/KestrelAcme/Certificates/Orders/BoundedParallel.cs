using System.Runtime.ExceptionServices;

namespace KestrelAcme.Certificates.Orders;

/// <summary>Takes a step for each of many names, a few at a time.</summary>
internal static class BoundedParallel
{
    /// <summary>How many are under way at once: enough for the slow APIs of DNS providers, few enough for their limits.</summary>
    public const int Maximum = 8;

    /// <summary>
    /// Takes the step for each. After a failure none is begun any more, those under way are waited for (whoever cleans up must not meet them), and the first failure in the order of the list is thrown.
    /// </summary>
    public static async Task ForEachAsync<T>(IReadOnlyList<T> items, Func<T, int, Task> step, CancellationToken cancellationToken)
    {
        using var slots = new SemaphoreSlim(Maximum);
        var failures = new Exception?[items.Count];
        var failed = false;
        await Task.WhenAll(items.Select(TakeAsync));
        cancellationToken.ThrowIfCancellationRequested();
        if (Array.Find(failures, failure => failure is not null) is { } first)
        {
            ExceptionDispatchInfo.Throw(first);
        }

        async Task TakeAsync(T item, int index)
        {
            await slots.WaitAsync(CancellationToken.None);
            try
            {
                if (!Volatile.Read(ref failed) && !cancellationToken.IsCancellationRequested)
                {
                    await step(item, index);
                }
            }
            catch (Exception exception)
            {
                failures[index] = exception;
                Volatile.Write(ref failed, true);
            }
            finally
            {
                slots.Release();
            }
        }
    }
}
