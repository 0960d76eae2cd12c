using System.Globalization;
using System.Text;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>Short critical sections among the processes that share a file system: whoever holds the lock file open alone is inside.</summary>
internal sealed class FileLocks
{
    private const int Stripes = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Within this process: spares the polling, and holds where the file system knows no locks.
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>
    /// Waits until the section is free. Sections are left within milliseconds; one that is not is reported. What is done inside must not be given up half-way:
    /// it would go on when others are inside.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The section did not become free, or the lock file cannot be opened.</exception>
    public async ValueTask<FileLock> EnterAsync(string path, CancellationToken cancellationToken)
    {
        var gate = _gates[(uint)StringComparer.Ordinal.GetHashCode(path) % Stripes];
        await gate.WaitAsync(cancellationToken);
        try
        {
            return new(await OpenAsync(path, cancellationToken), gate);
        }
        catch
        {
            gate.Release();
            throw;
        }
    }

    private static async Task<FileStream> OpenAsync(string path, CancellationToken cancellationToken)
    {
        // Real time: see FileWork.PauseAsync.
        var began = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            // Not cancelled while it opens: the file would be left locked.
            var file = await FileWork.OnFileAsync("lock", path, () => TryOpen(path), CancellationToken.None);
            if (file is not null)
            {
                return file;
            }

            if (TimeProvider.System.GetElapsedTime(began) > Patience)
            {
                throw new StorageUnavailableException(
                    $"Could not lock '{path}' within {Patience.TotalSeconds:0} s: another process keeps it open. See which (lsof '{path}') and whether it hangs.");
            }

            await FileWork.PauseAsync(attempt, cancellationToken);
        }
    }

    private static FileStream? TryOpen(string path)
    {
        try
        {
            FilePermissions.CreateFolder(Path.GetDirectoryName(path)!);
            return FilePermissions.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception exception) when (FileFault.IsLocked(exception))
        {
            return null;
        }
    }
}

/// <summary>A critical section that was entered. The lock file also keeps the last number given out, apart from the record, so that numbers never go down.</summary>
internal sealed class FileLock(FileStream file, SemaphoreSlim gate) : IDisposable
{
    private const int NumberLength = 20;

    /// <summary>The number that the file holds: 0 when it is new, <see langword="null"/> when it cannot be understood.</summary>
    public long? ReadNumber()
    {
        Span<byte> text = stackalloc byte[NumberLength];
        var length = RandomAccess.Read(file.SafeFileHandle, text, fileOffset: 0);
        return length == 0 ? 0
            : long.TryParse(text[..length], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number) && number is >= 0 and <= LeaseRecord.MaxFencingNumber ? number
            : null;
    }

    /// <summary>Not flushed to the disk: the record is, and this is its second copy.</summary>
    public void WriteNumber(long number)
    {
        // Always of one length: nothing of an older number can remain behind it.
        var text = Encoding.ASCII.GetBytes(number.ToString("D19", CultureInfo.InvariantCulture) + "\n");
        RandomAccess.Write(file.SafeFileHandle, text, fileOffset: 0);
    }

    public void Dispose()
    {
        file.Dispose();
        gate.Release();
    }
}
