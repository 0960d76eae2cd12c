using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store that loses some questions on the way: they are never answered. Asked again, it answers.</summary>
internal sealed class LosingStorage(IAcmeStorage inner, bool heedsTokens) : DelegatingStorage(inner)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _lost = new(StringComparer.Ordinal);

    /// <summary>Tells by what is done, and to which key, what is lost the first time.</summary>
    public Func<string, bool> Loses { get; set; } = static _ => false;

    public int Lost
    {
        get
        {
            lock (_gate)
            {
                return _lost.Count;
            }
        }
    }

    public override async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        await PassAsync($"read {key}", cancellationToken);
        return await base.ReadAsync(key, cancellationToken);
    }

    public override async ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        await PassAsync($"write {key}", cancellationToken);
        await base.WriteAsync(key, value, lease, cancellationToken);
    }

    public override async ValueTask<IStorageLease?> TryAcquireLeaseAsync(
        string name, TimeSpan duration, CancellationToken cancellationToken = default)
    {
        await PassAsync($"lease {name}", cancellationToken);
        return await base.TryAcquireLeaseAsync(name, duration, cancellationToken);
    }

    private Task PassAsync(string question, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Loses(question) && _lost.Add(question)
                ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, heedsTokens ? cancellationToken : CancellationToken.None)
                : Task.CompletedTask;
        }
    }
}
