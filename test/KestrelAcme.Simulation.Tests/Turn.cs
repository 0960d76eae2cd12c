using System.Runtime.CompilerServices;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Awaited, lets everything run that waits for the thread at this moment.</summary>
internal readonly struct Turn : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public Turn GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    // Behind what the others have queued, not before it.
    public void UnsafeOnCompleted(Action continuation)
        => ThreadPool.UnsafeQueueUserWorkItem(static next => next(), continuation, preferLocal: false);
}
