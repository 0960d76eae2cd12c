using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// The result of a scan, by key. A folder may hold a hundred thousand files, and their keys are kept until the next scan. To save memory,
/// they are stored as bytes in one array.
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
