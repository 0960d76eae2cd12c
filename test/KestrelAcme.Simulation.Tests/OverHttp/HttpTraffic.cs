namespace KestrelAcme.Simulation.Tests.OverHttp;

/// <summary>
/// Counts the requests that wait for the network: what only the fake clock ends is not among them. Safe for concurrent use.
/// </summary>
internal sealed class HttpTraffic
{
    private readonly Lock _lock = new();
    private int _requests;
    private TaskCompletionSource? _none;

    /// <summary>How many requests were made.</summary>
    public int Total { get; private set; }

    public void Begin()
    {
        lock (_lock)
        {
            _requests++;
            Total++;
        }
    }

    public void End()
    {
        lock (_lock)
        {
            if (--_requests == 0)
            {
                _none?.SetResult();
                _none = null;
            }
        }
    }

    /// <summary>Completes when no request waits for the network.</summary>
    public Task WhenNoneAsync()
    {
        lock (_lock)
        {
            return _requests == 0
                ? Task.CompletedTask
                : (_none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }
    }
}
