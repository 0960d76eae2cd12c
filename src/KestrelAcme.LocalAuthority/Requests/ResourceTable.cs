using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.LocalAuthority.Requests;

/// <summary>
/// Immutable resources by id. A change is a pure function from the old value to the new one, run under the table's lock.
/// The oldest is dropped when there are too many. Thread-safe.
/// </summary>
internal sealed class ResourceTable<T>(int capacity = 500_000)
    where T : class
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, T> _byId = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    public void Add(string id, T value)
    {
        lock (_gate)
        {
            while (_order.Count >= capacity)
            {
                _byId.Remove(_order.Dequeue());
            }

            _byId.Add(id, value);
            _order.Enqueue(id);
        }
    }

    public bool TryGet(string id, [NotNullWhen(true)] out T? value)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out value);
        }
    }

    /// <summary>Applies <paramref name="change"/> and returns what it made; null when there is no such resource.</summary>
    public T? Update(string id, Func<T, T> change)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out var value) ? _byId[id] = change(value) : null;
        }
    }

    public IReadOnlyList<T> Snapshot()
    {
        lock (_gate)
        {
            return [.. _byId.Values];
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _byId.Clear();
            _order.Clear();
        }
    }
}
