using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Short critical sections among processes that share a file system. The process that has the lock file open exclusively is inside.
/// </summary>
/// <remarks>
/// On Linux the lock is <c>flock</c>. NFSv4 turns it into a byte-range lock on the server, and SMB into one of its own, so it excludes
/// other hosts. With the mount options <c>local_lock=flock</c>, <c>local_lock=all</c> or <c>nolock</c>, or on FUSE without locks, it
/// excludes only processes that use the same mount. Leases rely on <see cref="LeaseClaims"/>; the sections save work, and exclude earlier
/// versions.
/// </remarks>
internal sealed class FileLocks(FolderTraits traits, ILogger logger)
{
    private const int Stripes = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    // Within this process: avoids polling, and also works if the file system does not support locks.
    private readonly SemaphoreSlim[] _gates = [.. Enumerable.Range(0, Stripes).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>
    /// Waits until the section is free. Sections are held for milliseconds; one that is held too long, because a process was stopped
    /// inside, is reported and entered all the same. Work inside the section must not be abandoned half-way, because it would continue
    /// while others are inside.
    /// </summary>
    /// <exception cref="StorageUnavailableException">The lock file cannot be opened.</exception>
    [AsyncMethodBuilder(typeof(SharedValueTaskMethodBuilder<>))]
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

    private async Task<FileStream?> OpenAsync(string path, CancellationToken cancellationToken)
    {
        // Real time; see FileWork.PauseAsync.
        var began = TimeProvider.System.GetTimestamp();
        for (var attempt = 0; ; attempt++)
        {
            // Not cancelable: the file would stay locked.
            var file = await FileWork.OnFileAsync("lock", path, () => TryOpen(path), CancellationToken.None);
            if (file is not null)
            {
                return file;
            }

            if (TimeProvider.System.GetElapsedTime(began) > Patience)
            {
                logger.LockNotFree(path, Patience.TotalSeconds);
                return null;
            }

            await FileWork.PauseAsync(attempt, cancellationToken);
        }
    }

    private FileStream? TryOpen(string path)
    {
        try
        {
            FilePermissions.CreateFolder(Path.GetDirectoryName(path)!);
            var share = traits.LocksAreLocal ? FileShare.ReadWrite : FileShare.None;
            return FilePermissions.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share);
        }
        catch (Exception exception) when (FileFault.IsLocked(exception))
        {
            return null;
        }
    }
}

/// <summary>
/// A critical section that the caller is inside. The lock file also stores the last fencing number, separately from the lease record, so
/// that numbers never decrease.
/// </summary>
/// <param name="file">The lock file; <see langword="null"/> if another process does not close it.</param>
/// <param name="gate">Excludes others in this process.</param>
internal sealed class FileLock(FileStream? file, SemaphoreSlim gate) : IDisposable
{
    private const int NumberLength = 20;

    /// <summary>
    /// Reads the number from the file: 0 if the file is new, <see langword="null"/> if the content is invalid or the file cannot be opened.
    /// </summary>
    public long? ReadNumber()
    {
        if (file is null)
        {
            return null;
        }

        Span<byte> text = stackalloc byte[NumberLength];
        var length = RandomAccess.Read(file.SafeFileHandle, text, fileOffset: 0);
        if (length == 0)
        {
            return 0;
        }

        return long.TryParse(text[..length], NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number)
            && number is >= 0 and <= LeaseRecord.MaxFencingNumber
                ? number
                : null;
    }

    /// <summary>Writes the number. Not flushed to the disk: this is the second copy, and the lease record is flushed.</summary>
    public void WriteNumber(long number)
    {
        if (file is null)
        {
            return;
        }

        // Fixed length, so that nothing of a previous number remains.
        var text = Encoding.ASCII.GetBytes(number.ToString("D19", CultureInfo.InvariantCulture) + "\n");
        RandomAccess.Write(file.SafeFileHandle, text, fileOffset: 0);
    }

    public void Dispose()
    {
        file?.Dispose();
        gate.Release();
    }
}

/// <summary>The section of a lease that holds, which the caller is inside.</summary>
/// <param name="Section">The section.</param>
/// <param name="Claim">The folder of the claim to the lease.</param>
internal sealed record LeaseGuard(FileLock Section, string Claim) : IDisposable
{
    public void Dispose() => Section.Dispose();
}

/// <summary>What tests pretend about the file system of a store. By default nothing.</summary>
internal sealed record FolderTraits
{
    /// <summary>The clock of the file server.</summary>
    public Func<DateTimeOffset>? ServerTime { get; init; }

    /// <summary>
    /// Whether a lock of this instance excludes no other one, as on a share that is mounted several times with locks that are local to each
    /// mount. Only this instance believes that its locks work.
    /// </summary>
    public bool LocksAreLocal { get; init; }

    /// <summary>Whether only exclusive locks count, as for .NET on NFS and SMB.</summary>
    public bool SharedLocksAreIgnored { get; init; }
}
