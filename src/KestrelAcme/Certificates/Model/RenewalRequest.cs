namespace KestrelAcme.Certificates.Model;

/// <summary>A caller's request that waits for the outcome of the next attempt.</summary>
internal sealed class RenewalRequest
{
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isForced;

    public Task Outcome => _outcome.Task;

    /// <summary>Whether the attempt is made now, whatever was planned, because the application asked for a renewal.</summary>
    public bool IsForced => _isForced;

    public void Force() => _isForced = true;

    /// <summary>Completes another request with the outcome of this one.</summary>
    public void AnswerToo(RenewalRequest other)
        => _outcome.Task.ContinueWith(
            done => other.Complete(done.Exception?.InnerException),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default);

    public void Complete(Exception? failure)
    {
        if (failure is null)
        {
            _outcome.TrySetResult();
            return;
        }

        _outcome.TrySetException(failure);

        // The caller may no longer wait. The failure is in the log already, so it must not become an unobserved task exception.
        _ = _outcome.Task.Exception;
    }
}
