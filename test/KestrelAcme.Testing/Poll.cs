using Xunit;

namespace KestrelAcme.Testing;

/// <summary>Waits, in real time and with a deadline, for conditions that no event announces.</summary>
public static class Poll
{
    // Only a failing test waits this long: a busy machine must not look like a bug.
    private static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until <paramref name="condition"/> is true; otherwise fails the test, naming <paramref name="what"/>.</summary>
    public static Task UntilAsync(
        Func<bool> condition, string what, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        UntilAsync(condition, () => what, timeout, cancellationToken);

    /// <summary>The same, with a description that is built only on failure: it can tell how far the wait got.</summary>
    public static Task UntilAsync(
        Func<bool> condition, Func<string> what, TimeSpan? timeout = null, CancellationToken cancellationToken = default) =>
        UntilAsync(_ => Task.FromResult(condition()), what, timeout, cancellationToken);

    /// <inheritdoc cref="UntilAsync(Func{CancellationToken, Task{bool}}, Func{string}, TimeSpan?, CancellationToken)"/>
    public static Task UntilAsync(
        Func<CancellationToken, Task<bool>> condition,
        string what,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default) =>
        UntilAsync(condition, () => what, timeout, cancellationToken);

    /// <summary>
    /// Waits until <paramref name="condition"/> is true; otherwise fails the test, naming <paramref name="what"/> and the last exception.
    /// An exception thrown by the condition counts as false.
    /// </summary>
    /// <param name="condition">The condition. Its token is canceled at the deadline.</param>
    /// <param name="what">Completes the sentence "Waited for ..."; called when it fails.</param>
    /// <param name="timeout"><value>60 s</value></param>
    /// <param name="cancellationToken">The test's token; without one, that of the running test.</param>
    public static async Task UntilAsync(
        Func<CancellationToken, Task<bool>> condition,
        Func<string> what,
        TimeSpan? timeout = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(condition);
        ArgumentNullException.ThrowIfNull(what);
        var limit = timeout ?? DefaultTimeout;
        var test = cancellationToken.CanBeCanceled ? cancellationToken : TestContext.Current.CancellationToken;
        using var clock = new CancellationTokenSource(limit, TimeProvider.System);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(test, clock.Token);
        Exception? last = null;
        while (!deadline.IsCancellationRequested)
        {
            try
            {
                if (await condition(deadline.Token))
                {
                    return;
                }

                last = null;
                await Task.Delay(Pause, TimeProvider.System, deadline.Token);
            }
            catch (OperationCanceledException) when (deadline.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception)
            {
                last = exception;
                await Task.Delay(Pause, TimeProvider.System, deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        test.ThrowIfCancellationRequested();
        var cause = last is null ? "" : $" The last attempt failed with {last.GetType().Name}: {last.Message}";
        Assert.Fail($"Waited {limit.TotalSeconds:0.#} s for {what()} in vain.{cause}");
    }
}
