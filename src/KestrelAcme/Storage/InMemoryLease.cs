namespace KestrelAcme.Storage;

/// <summary>A lease of <see cref="InMemoryStorage"/>. It changes under the store's lock only.</summary>
internal sealed class InMemoryLease(string name, long fencingNumber, TimeSpan duration, TimeProvider time, Lock gate) : IStorageLease
{
    private readonly LeaseExpiry _expiry = new(time, duration, time.GetTimestamp());

    public string Name => name;

    public long FencingNumber => fencingNumber;

    public CancellationToken Lost => _expiry.Lost;

    public bool IsOver => _expiry.IsOver;

    public void Lose() => _expiry.Lose();

    public ValueTask<bool> RenewAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        lock (gate)
        {
            return new(!_expiry.IsOver && _expiry.TryExtend(time.GetTimestamp()));
        }
    }

    public ValueTask DisposeAsync()
    {
        lock (gate)
        {
            _expiry.TryEnd();
        }

        return ValueTask.CompletedTask;
    }
}
