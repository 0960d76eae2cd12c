using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Reports changes below a folder: at once if the system notifies of them, and by scanning it regularly, because network shares do not
/// notify of changes by other machines.
/// </summary>
internal sealed class FolderWatch(
    StoragePaths paths, FileSystemReader reader, string prefix, TimeProvider time, ILogger logger, SystemFolderEvents? systemEvents)
{
    public static readonly TimeSpan ScanInterval = TimeSpan.FromSeconds(15);

    // Scanning takes at most 1% of one processor, no matter how large the folder is.
    private const int MaxShare = 100;

    private readonly StorageChangeFeed _feed = new();
    private readonly Channel<string> _scanNow = Channel.CreateBounded<string>(1);

    private readonly DoubtfulFiles _doubtful = new();

    // A failure is logged once, until a scan succeeds again.
    private bool _failed;

    public async IAsyncEnumerable<StorageChange> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var listener = systemEvents is null
            ? null
            : await Task.Run(() => systemEvents.Listen(OnEvent, () => _feed.Post(StorageChange.Everything)), cancellationToken);
        var known = await ScanAsync(stop.Token);
        var scanning = ScanRepeatedlyAsync(known, stop.Token);
        try
        {
            await foreach (var change in _feed.ReadAllAsync(cancellationToken))
            {
                yield return change;
            }
        }
        finally
        {
            await stop.CancelQuietlyAsync();
            await scanning;
        }
    }

    private void OnEvent(string path)
    {
        if (paths.KeyOf(path) is not { } key
            || !(key.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(key + "/", StringComparison.Ordinal)))
        {
            return;
        }

        if (!Directory.Exists(path))
        {
            _feed.Post(new(key));
            return;
        }

        // A scan finds files that were created in a new folder before the system watched it. If the channel is full, a scan is already due.
        _scanNow.Writer.TryWrite(key);
    }

    private async Task ScanRepeatedlyAsync(FolderSnapshot? known, CancellationToken cancellationToken)
    {
        var interval = ScanInterval;
        try
        {
            while (true)
            {
                await WaitAsync(interval, cancellationToken);
                var began = time.GetTimestamp();
                var again = _doubtful.Take();
                var found = await ScanAsync(cancellationToken);
                Report(known, found, again);
                known = found;
                interval = TimeSpan.FromTicks(Math.Max(ScanInterval.Ticks, time.GetElapsedTime(began).Ticks * MaxShare));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The reader has stopped.
        }
    }

    private async Task WaitAsync(TimeSpan interval, CancellationToken cancellationToken)
    {
        using var due = new TimeLimit(interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(due.Token, cancellationToken);
        try
        {
            await _scanNow.Reader.ReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The interval has passed.
        }
    }

    private async Task<FolderSnapshot?> ScanAsync(CancellationToken cancellationToken)
    {
        var folder = paths.ForPrefix(prefix);
        try
        {
            var files = await FileWork.OnFolderAsync(
                "scan", folder, () => reader.Scan(prefix, cancellationToken).ToArray(), cancellationToken);
            _doubtful.Note(files);
            var snapshot = new FolderSnapshot(files);
            _failed = false;
            return snapshot;
        }
        catch (StorageUnavailableException exception)
        {
            if (!_failed)
            {
                _failed = true;
                logger.ScanFailed(folder, exception.Message);
            }

            return null;
        }
    }

    private void Report(FolderSnapshot? known, FolderSnapshot? found, IEnumerable<string> again)
    {
        if (found is null)
        {
            return;
        }

        if (known is null)
        {
            _feed.Post(StorageChange.Everything);
            return;
        }

        foreach (var key in found.ChangesSince(known).Union(again, StringComparer.Ordinal))
        {
            _feed.Post(new(key));
        }
    }

    /// <summary>
    /// The result of a scan, by key. A folder may hold a hundred thousand files, and their keys are kept until the next scan. To save
    /// memory, they are stored as bytes in one array.
    /// </summary>
    internal sealed class FolderSnapshot
    {
        private readonly byte[] _keys;
        private readonly int[] _ends;
        private readonly (long WrittenTicks, long Length)[] _stamps;

        /// <param name="files">The files that the scan found. This array is sorted in place.</param>
        public FolderSnapshot(ScannedFile[] files)
        {
            Array.Sort(files, static (one, other) => string.CompareOrdinal(one.Key, other.Key));

            // Keys are ASCII.
            _keys = new byte[files.Sum(file => file.Key.Length)];
            _ends = new int[files.Length];
            _stamps = new (long, long)[files.Length];
            var end = 0;
            for (var i = 0; i < files.Length; i++)
            {
                end += Encoding.ASCII.GetBytes(files[i].Key, _keys.AsSpan(end));
                _ends[i] = end;
                _stamps[i] = (files[i].WrittenTicks, files[i].Length);
            }
        }

        /// <summary>Returns the keys that were added, changed or removed since an earlier snapshot.</summary>
        public IEnumerable<string> ChangesSince(FolderSnapshot before)
        {
            var (mine, theirs) = (0, 0);
            while (mine < _ends.Length || theirs < before._ends.Length)
            {
                var order = mine == _ends.Length ? 1
                    : theirs == before._ends.Length ? -1
                    : Key(mine).SequenceCompareTo(before.Key(theirs));
                if (order < 0)
                {
                    yield return Text(mine);
                }
                else if (order > 0)
                {
                    yield return before.Text(theirs);
                }
                else if (_stamps[mine] != before._stamps[theirs])
                {
                    yield return Text(mine);
                }

                mine += order <= 0 ? 1 : 0;
                theirs += order >= 0 ? 1 : 0;
            }
        }

        private ReadOnlySpan<byte> Key(int i) => _keys.AsSpan((i == 0 ? 0 : _ends[i - 1]).._ends[i]);

        private string Text(int i) => Encoding.ASCII.GetString(Key(i));
    }
}

/// <summary>
/// Files that may change once more without a scan noticing it: some file servers count the times of files in seconds, or in pairs of
/// seconds. Such a file is reported again with the scan after the one that found it, when its second is over.
/// </summary>
internal sealed class DoubtfulFiles
{
    private static readonly TimeSpan Coarsest = TimeSpan.FromSeconds(2);

    private List<ScannedFile> _again = [];
    private HashSet<ScannedFile> _reported = [];

    /// <summary>Notes what a scan found. On other file servers, hardly any file has a time without a fraction.</summary>
    public void Note(ScannedFile[] files)
    {
        var newest = files.Length == 0 ? 0 : files.Max(file => file.WrittenTicks);
        var doubtful = files
            .Where(file => file.WrittenTicks % TimeSpan.TicksPerSecond == 0 && newest - file.WrittenTicks <= Coarsest.Ticks)
            .ToHashSet();
        _again = [.. doubtful.Where(file => !_reported.Contains(file))];
        _reported = doubtful;
    }

    /// <summary>Returns the keys to report with the next scan.</summary>
    public IReadOnlyList<string> Take()
    {
        var keys = _again.ConvertAll(file => file.Key);
        _again = [];
        return keys;
    }
}
