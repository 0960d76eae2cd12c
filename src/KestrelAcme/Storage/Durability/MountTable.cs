using System.Text;

namespace KestrelAcme.Storage.Durability;

/// <summary>The mounted file systems (proc_pid_mountinfo(5)).</summary>
internal sealed class MountTable(IReadOnlyList<MountEntry> entries)
{
    private const int MaxEntries = 10_000;

    public IReadOnlyList<MountEntry> Entries => entries;

    /// <summary>Parses the text of a <c>mountinfo</c> file. Malformed lines are ignored.</summary>
    public static MountTable Parse(string text)
    {
        var entries = new List<MountEntry>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (entries.Count < MaxEntries && ParseLine(line.ToString()) is { } entry)
            {
                entries.Add(entry);
            }
        }

        return new(entries);
    }

    /// <summary>
    /// Returns the mount that contains a path: the deepest mount point, and the last of several on the same point, which hides the others.
    /// </summary>
    public MountEntry? Find(string path)
    {
        MountEntry? found = null;
        foreach (var entry in entries)
        {
            if (Holds(entry.MountPoint, path) && entry.MountPoint.Length >= (found?.MountPoint.Length ?? 0))
            {
                found = entry;
            }
        }

        return found;
    }

    private static bool Holds(string mountPoint, string path)
        => mountPoint == "/"
            || (path.StartsWith(mountPoint, StringComparison.Ordinal)
                && (path.Length == mountPoint.Length || path[mountPoint.Length] == '/'));

    // 36 35 98:0 /root /mount/point rw,noatime [optional fields] - ext4 /dev/sda1 rw
    private static MountEntry? ParseLine(string line)
    {
        var fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var separator = Array.IndexOf(fields, "-", Math.Min(fields.Length, 6));
        return separator < 0 || separator + 1 >= fields.Length
            ? null
            : new(fields[2], Unescape(fields[3]), Unescape(fields[4]), fields[separator + 1]);
    }

    // Space, tab, line feed and backslash are escaped as three octal digits. Other characters are UTF-8 and not escaped.
    private static string Unescape(string field)
    {
        if (!field.Contains('\\'))
        {
            return field;
        }

        var text = new StringBuilder(field.Length);
        for (var i = 0; i < field.Length; i++)
        {
            if (field[i] == '\\' && i + 3 < field.Length && IsOctal(field.AsSpan(i + 1, 3)))
            {
                text.Append((char)(((field[i + 1] - '0') * 64) + ((field[i + 2] - '0') * 8) + (field[i + 3] - '0')));
                i += 3;
            }
            else
            {
                text.Append(field[i]);
            }
        }

        return text.ToString();
    }

    private static bool IsOctal(ReadOnlySpan<char> digits) => !digits.ContainsAnyExceptInRange('0', '7');
}

/// <summary>One line of <c>/proc/self/mountinfo</c>.</summary>
/// <param name="Device">The major and minor device number, such as <c>0:52</c>.</param>
/// <param name="Root">The folder of the file system that is mounted.</param>
/// <param name="MountPoint">The path where it is mounted.</param>
/// <param name="FileSystem">The type of the file system, such as <c>ext4</c>, <c>overlay</c>, <c>tmpfs</c>.</param>
internal sealed record MountEntry(string Device, string Root, string MountPoint, string FileSystem)
{
    /// <summary>Whether other machines may use the file system, too.</summary>
    public bool IsShared => FileSystem.StartsWith("fuse", StringComparison.Ordinal)
        || FileSystem is "nfs" or "nfs4" or "cifs" or "smb3" or "9p" or "virtiofs" or "ceph" or "lustre" or "gpfs" or "afs" or "beegfs"
            or "ocfs2" or "gfs2" or "prl_fs" or "vboxsf";
}
