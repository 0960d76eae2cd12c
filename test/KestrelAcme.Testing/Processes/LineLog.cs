namespace KestrelAcme.Testing.Processes;

/// <summary>Collects lines, for one reader that waits for one of them.</summary>
internal sealed class LineLog
{
    private const int Capacity = 20_000;

    // Standard output and error.
    private const int Streams = 2;

    // Another process that has them may keep them open.
    private static readonly TimeSpan LongestAfterExit = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _changed = NewSource();
    private int _dropped;
    private int _ended;

    public void Add(string? line)
    {
        lock (_gate)
        {
            if (line is null)
            {
                _ended++;
            }
            else
            {
                _lines.Add(line);
                if (_lines.Count > Capacity)
                {
                    _lines.RemoveAt(0);
                    _dropped++;
                }
            }
        }

        // A null line is the end of a stream: waiters check again.
        Wake();
    }

    public void Wake()
    {
        lock (_gate)
        {
            _changed.TrySetResult();
            _changed = NewSource();
        }
    }

    public IReadOnlyList<string> Snapshot()
    {
        lock (_gate)
        {
            return [.. _lines];
        }
    }

    /// <summary>Returns the first line that matches, or null if <paramref name="ended"/> and none did.</summary>
    public async Task<string?> WaitAsync(Func<string, bool> match, Func<bool> ended, CancellationToken cancellationToken)
    {
        var seen = 0;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var over = ended();
            bool complete;
            Task changed;
            lock (_gate)
            {
                for (var i = Math.Max(0, seen - _dropped); i < _lines.Count; i++)
                {
                    if (match(_lines[i]))
                    {
                        return _lines[i];
                    }
                }

                seen = _dropped + _lines.Count;
                (complete, changed) = (_ended >= Streams, _changed.Task);
            }

            if (over && (complete || await EndedQuietlyAsync(changed, cancellationToken)))
            {
                return null;
            }

            if (!over)
            {
                await changed.WaitAsync(cancellationToken);
            }
        }
    }

    // The last lines may arrive after the exit, on a busy machine much later.
    private static async Task<bool> EndedQuietlyAsync(Task changed, CancellationToken cancellationToken)
    {
        var pause = Task.Delay(LongestAfterExit, TimeProvider.System, cancellationToken);
        return await Task.WhenAny(changed, pause) == pause;
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
