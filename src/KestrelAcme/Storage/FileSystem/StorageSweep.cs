using System.IO.Enumeration;
using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Removes what dead instances left behind: half-written files and their owner files. Never removes what a living instance may need.
/// </summary>
internal sealed class StorageSweep(StoragePaths paths, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan MinAgeOfUnknown = TimeSpan.FromHours(1);

    // An owner on another machine may be alive even if its file can be locked here, because some shares keep locks per machine. If it is
    // alive, it restores its file.
    private static readonly TimeSpan MaxAgeOfStranger = TimeSpan.FromDays(90);

    // An inaccessible folder is not KestrelAcme's.
    private static readonly EnumerationOptions Everywhere = new()
    {
        RecurseSubdirectories = true,
        AttributesToSkip = FileAttributes.None,
        IgnoreInaccessible = true,
    };
    private const int OwnerIdLength = 32;
    private const int MaxLengthOfOwner = 4096;
    private const string DeathMark = "dead\n";

    public void Run(StorageOwner self, CancellationToken cancellationToken)
    {
        try
        {
            var removed = 0;
            foreach (var path in FindTemporaryFiles())
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (IsLeftover(path, self))
                {
                    AtomicFile.TryDelete(path);
                    removed++;
                }
            }

            foreach (var path in self.LocksWork ? Directory.EnumerateFiles(paths.Owners) : [])
            {
                cancellationToken.ThrowIfCancellationRequested();
                SweepOwner(path);
            }

            if (removed > 0)
            {
                logger.LeftoversRemoved(removed, paths.Root);
            }
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            logger.LeftoversKept(exception, paths.Root);
        }
    }

    private FileSystemEnumerable<string> FindTemporaryFiles()
        => new(paths.Root, static (ref FileSystemEntry entry) => entry.ToFullPath(), Everywhere)
        {
            ShouldRecursePredicate = static (ref FileSystemEntry entry)
                => entry.FileName is not "lost+found" && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            ShouldIncludePredicate = static (ref FileSystemEntry entry) => !entry.IsDirectory
                && entry.FileName.StartsWith('~') && entry.FileName.EndsWith(StoragePaths.TemporarySuffix, StringComparison.Ordinal),
        };

    private bool IsLeftover(string path, StorageOwner self)
    {
        var name = Path.GetFileName(path.AsSpan())[1..];
        if (name.Length <= OwnerIdLength || !Guid.TryParseExact(name[..OwnerIdLength], "n", out var id))
        {
            return false;
        }

        var owner = id.ToString("n");
        if (owner == self.Id)
        {
            return false;
        }

        // The owner may be on another machine. If its death cannot be proved, only the file's age decides.
        return (self.LocksWork && StorageOwner.IsKnownDead(paths.Owner(owner)) && MayProveDeath(path))
            || IsOlderThan(path, MinAgeOfUnknown);
    }

    // On a share with locks per machine, acquiring the lock proves nothing. Files that are being written there are young.
    private bool MayProveDeath(string path) => IsOlderThan(path, TimeSpan.FromSeconds(30));

    private bool IsOlderThan(string path, TimeSpan age)
        => time.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(path), TimeSpan.Zero) >= age;

    private void SweepOwner(string path)
    {
        try
        {
            if (IsPastUse(path))
            {
                AtomicFile.TryDelete(path);
            }
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            // Its owner is alive, or another instance's sweep has removed the file.
        }
    }

    // A dead owner's file allows others to take over its leases at once. It is kept for the longest duration of a lease after the death was
    // noticed.
    private bool IsPastUse(string path)
    {
        using var file = StorageOwner.OpenBesideOthers(path);
        var text = Encoding.UTF8.GetString(AtomicFile.ReadToEnd(file.SafeFileHandle, MaxLengthOfOwner));
        if (!text.StartsWith(MachineIdentity.Current, StringComparison.Ordinal))
        {
            return IsOlderThan(path, MaxAgeOfStranger);
        }

        if (text.EndsWith(DeathMark, StringComparison.Ordinal))
        {
            return IsOlderThan(path, StorageLease.MaxDuration);
        }

        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.UTF8.GetBytes(DeathMark));
        return false;
    }
}
