namespace KestrelAcme.Certificates;

/// <summary>Somebody waits for the outcome of the next attempt.</summary>
internal sealed class RenewalRequest
{
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isForced;

    public Task Outcome => _outcome.Task;

    /// <summary>Whether the attempt is to be made now, whatever was planned: a person asked.</summary>
    public bool IsForced => _isForced;

    public void Force() => _isForced = true;

    /// <summary>Has another request answered with this one.</summary>
    public void AnswerToo(RenewalRequest other)
        => _outcome.Task.ContinueWith(
            done => other.Complete(done.Exception?.InnerException), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    public void Complete(Exception? failure)
    {
        if (failure is null)
        {
            _outcome.TrySetResult();
            return;
        }

        _outcome.TrySetException(failure);

        // Whoever asked may have gone: a failure that nobody looks at is in the log already.
        _ = _outcome.Task.Exception;
    }
}
