using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>
/// Spaces POST requests while everything fails: from the third failure of a request or an order in a row, all POST requests keep an
/// interval. Thread-safe.
/// </summary>
internal sealed class PostPace(TimeSpan interval, TimeProvider timeProvider)
{
    private const int FailuresAllowed = 3;

    private readonly Lock _lock = new();
    private int _requests;
    private int _orders;
    private long? _last;

    /// <summary>Waits until one POST request may be sent.</summary>
    public Task WaitAsync(CancellationToken cancellationToken)
    {
        TimeSpan wait;
        lock (_lock)
        {
            // Turns are reserved in advance, so the last one may be in the future.
            var now = timeProvider.GetTimestamp();
            var isSlow = Math.Max(_requests, _orders) >= FailuresAllowed;
            wait = _last is { } last && isSlow ? interval - timeProvider.GetElapsedTime(last, now) : TimeSpan.Zero;
            _last = wait > TimeSpan.Zero ? now + (long)(wait.TotalSeconds * timeProvider.TimestampFrequency) : now;
        }

        return wait > TimeSpan.Zero ? Task.Delay(wait, timeProvider, cancellationToken) : Task.CompletedTask;
    }

    /// <summary>Awaits a POST request and counts its result.</summary>
    public async Task<AcmeResponse> CountAsync(Task<AcmeResponse> sending)
    {
        try
        {
            var response = await sending.ConfigureAwait(false);
            Count(ref _requests, response.IsSuccess || response.IsRedirect);
            return response;
        }
        catch (AcmeException)
        {
            Count(ref _requests, succeeded: false);
            throw;
        }
    }

    /// <summary>Counts the result of an order.</summary>
    public void CountOrder(bool succeeded) => Count(ref _orders, succeeded);

    private void Count(ref int failures, bool succeeded)
    {
        lock (_lock)
        {
            failures = succeeded ? 0 : Math.Min(failures + 1, FailuresAllowed);
        }
    }
}
