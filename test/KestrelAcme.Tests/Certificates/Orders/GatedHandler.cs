using KestrelAcme.Challenges;

namespace KestrelAcme.Tests.Certificates.Orders;

/// <summary>Prepares a challenge when the test allows it.</summary>
internal sealed class GatedHandler : IChallengeHandler
{
    private readonly Lock _gate = new();
    private readonly List<(string Name, TaskCompletionSource Done)> _underWay = [];

    public string ChallengeType => "gated-01";

    public List<string> Begun { get; } = [];

    public List<string> Awaited { get; } = [];

    public List<string> Cleaned { get; } = [];

    public int UnderWay
    {
        get
        {
            lock (_gate)
            {
                return _underWay.Count;
            }
        }
    }

    /// <summary>
    /// Lets the preparation that began first end, or that of a name. What follows from it has happened when this method returns, because
    /// both run without the context of the test.
    /// </summary>
    public Task FinishAsync(string? name = null, Exception? failure = null) => Task.Run(() => Finish(name, failure));

    public bool CanHandle(string identifierType, string value, bool wildcard) => true;

    public async Task PrepareAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource();
        lock (_gate)
        {
            Begun.Add(context.Identifier);
            _underWay.Add((context.Identifier, done));
        }

        await done.Task.WaitAsync(cancellationToken);
    }

    public Task WaitUntilVisibleAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Awaited.Add(context.Identifier);
        }

        return Task.CompletedTask;
    }

    public Task CleanUpAsync(ChallengeContext context, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            Cleaned.Add(context.Identifier);
        }

        return Task.CompletedTask;
    }

    private void Finish(string? name, Exception? failure)
    {
        TaskCompletionSource done;
        lock (_gate)
        {
            var index = name is null ? 0 : _underWay.FindIndex(entry => entry.Name == name);
            done = _underWay[index].Done;
            _underWay.RemoveAt(index);
        }

        if (failure is null)
        {
            done.SetResult();
        }
        else
        {
            done.SetException(failure);
        }
    }
}
