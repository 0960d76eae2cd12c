using KestrelAcme.Protocol.Problems;

namespace KestrelAcme.Protocol.Transport;

/// <summary>Polls a resource until it has the expected state: fast at first, then more slowly. Retry-After takes precedence.</summary>
internal static class Poller
{
    private const double Growth = 1.5;

    public static async Task<T> WaitAsync<T>(
        string operation,
        Uri url,
        Func<CancellationToken, Task<T>> read,
        Func<T, bool> isDone,
        Func<T, TimeSpan?> retryAfter,
        Func<T, string> describe,
        AcmePollingOptions options,
        TimeProvider timeProvider,
        CancellationToken cancellationToken)
    {
        var started = timeProvider.GetTimestamp();
        var pause = options.InitialDelay;
        while (true)
        {
            var resource = await read(cancellationToken).ConfigureAwait(false);
            if (isDone(resource))
            {
                return resource;
            }

            var left = options.Timeout - timeProvider.GetElapsedTime(started);
            if (left <= TimeSpan.Zero)
            {
                throw new AcmePollingTimeoutException(
                    $"{operation} failed: {url} was still {describe(resource)} after {options.Timeout.TotalSeconds:0.###} s. "
                    + "It may still complete: check again later.")
                {
                    Operation = operation,
                    Url = url,
                    RetryAfter = retryAfter(resource),
                };
            }

            var delay = retryAfter(resource) is { } asked ? Clamp(asked, options.MinRetryAfter, options.MaxRetryAfter) : pause;
            await Task.Delay(delay < left ? delay : left, timeProvider, cancellationToken).ConfigureAwait(false);
            pause = Clamp(pause * Growth, TimeSpan.Zero, options.MaxDelay);
        }
    }

    private static TimeSpan Clamp(TimeSpan value, TimeSpan min, TimeSpan max) => value < min ? min : value > max ? max : value;
}
