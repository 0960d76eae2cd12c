namespace KestrelAcme.Certificates;

/// <summary>Somebody asked for a renewal now, and waits for the outcome.</summary>
internal sealed class RenewalRequest
{
    private readonly TaskCompletionSource _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Outcome => _outcome.Task;

    public void Complete(Exception? failure)
    {
        if (failure is null)
        {
            _outcome.TrySetResult();
        }
        else
        {
            _outcome.TrySetException(failure);
        }
    }
}
