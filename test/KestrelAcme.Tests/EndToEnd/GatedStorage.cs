using System.Runtime.CompilerServices;
using KestrelAcme.Storage;
using KestrelAcme.Testing;

namespace KestrelAcme.Tests.EndToEnd;

/// <summary>A store whose reads of many values wait until they are let through.</summary>
internal sealed class GatedStorage(IAcmeStorage inner) : DelegatingStorage(inner)
{
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Open() => _open.TrySetResult();

    /// <summary>Which reads of many values wait: all, unless it is told otherwise.</summary>
    public Func<IReadOnlyCollection<string>, bool> Holds { get; init; } = static keys => keys.Count > 1;

    public override async IAsyncEnumerable<StorageEntry> ReadManyAsync(
        IReadOnlyCollection<string> keys, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (Holds(keys))
        {
            await _open.Task.WaitAsync(cancellationToken);
        }

        await foreach (var entry in base.ReadManyAsync(keys, cancellationToken))
        {
            yield return entry;
        }
    }
}
