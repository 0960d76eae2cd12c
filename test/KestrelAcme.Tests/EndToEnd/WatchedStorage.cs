using System.Collections.Concurrent;
using System.Text;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store that notes what is read, and that can be made to refuse writes.</summary>
internal sealed class WatchedStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private readonly ConcurrentQueue<string> _reads = new();
    private readonly ConcurrentQueue<string> _written = new();

    public IReadOnlyCollection<string> Reads => _reads;

    /// <summary>What was written, as text.</summary>
    public IReadOnlyCollection<string> Written => _written;

    /// <summary>Tells by the key which writes fail.</summary>
    public Func<string, bool> Refuses { get; set; } = _ => false;

    public override ValueTask<ReadOnlyMemory<byte>?> ReadAsync(string key, CancellationToken cancellationToken = default)
    {
        _reads.Enqueue(key);
        return base.ReadAsync(key, cancellationToken);
    }

    public override ValueTask WriteAsync(
        string key, ReadOnlyMemory<byte> value, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIfRefused(key);
        _written.Enqueue(Encoding.UTF8.GetString(value.Span));
        return base.WriteAsync(key, value, lease, cancellationToken);
    }

    public override ValueTask<bool> DeleteAsync(string key, IStorageLease? lease = null, CancellationToken cancellationToken = default)
    {
        ThrowIfRefused(key);
        return base.DeleteAsync(key, lease, cancellationToken);
    }

    private void ThrowIfRefused(string key)
    {
        if (Refuses(key))
        {
            throw new StorageUnavailableException($"The disk is full: '{key}' was not written.");
        }
    }
}
