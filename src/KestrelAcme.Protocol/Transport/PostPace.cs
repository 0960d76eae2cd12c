using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Slows requests down while everything fails: from the third failure in a row on, of a request or of an order, POSTs keep an interval, whoever sends them. Thread-safe.
/// </summary>
internal sealed class PostPace(TimeSpan interval, TimeProvider timeProvider)
{
    private const int FailuresAllowed = 3;

    private readonly Lock _lock = new();
    private int _requests;
    private int _orders;
    private long? _last;

    /// <summary>Waits for the turn of one POST.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            // Turns are given out ahead: the last one may lie in the future.
            var now = timeProvider.GetTimestamp();
            wait = _last is { } last && Math.Max(_requests, _orders) >= FailuresAllowed ? interval - timeProvider.GetElapsedTime(last, now) : TimeSpan.Zero;
            _last = wait > TimeSpan.Zero ? now + (long)(wait.TotalSeconds * timeProvider.TimestampFrequency) : now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, timeProvider, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>Sends a POST, and counts how it ended.</summary>
    public async Task<AcmeResponse> CountAsync(Task<AcmeResponse> sending)
    {
        try
        {
            var answer = await sending.ConfigureAwait(false);
            Count(ref _requests, answer.IsSuccess || answer.IsRedirect);
            return answer;
        }
        catch (AcmeException)
        {
            Count(ref _requests, succeeded: false);
            throw;
        }
    }

    /// <summary>Counts how an order ended.</summary>
    public void CountOrder(bool succeeded) => Count(ref _orders, succeeded);

    private void Count(ref int failures, bool succeeded)
    {
        lock (_lock)
        {
            failures = succeeded ? 0 : Math.Min(failures + 1, FailuresAllowed);
        }
    }
}
