using System.IO.Enumeration;
using System.Text;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Removes what dead instances left behind: half-written files and their owner files. Never removes what a living instance may need.
/// </summary>
/// <remarks>Ages are counted in the time of the file server: by this host's clock, a file that is being written may look old.</remarks>
internal sealed class StorageSweep(StoragePaths paths, LeaseClaims claims, ServerClock clock, ILogger logger)
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
    private const string DeathMark = "dead\n";

    private DateTimeOffset _now;

    public void Run(StorageOwner self, CancellationToken cancellationToken)
    {
        try
        {
            _now = ReadClock(self);
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
                SweepOwner(path, self);
            }

            claims.Sweep(_now);
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
        if (name.Length <= StoragePaths.OwnerIdLength || !Guid.TryParseExact(name[..StoragePaths.OwnerIdLength], "n", out var id))
        {
            return false;
        }

        var owner = id.ToString("n");
        if (owner == self.Id)
        {
            return false;
        }

        // The owner may be on another machine. If its death cannot be proved, only the file's age decides.
        return self.IsKnownDead(paths.Owner(owner)) || IsOlderThan(path, MinAgeOfUnknown);
    }

    private bool IsOlderThan(string path, TimeSpan age)
        => _now - new DateTimeOffset(File.GetLastWriteTimeUtc(path), TimeSpan.Zero) >= age;

    private DateTimeOffset ReadClock(StorageOwner self)
    {
        using var draft = FileDraft.TryCreate(paths.Root, self.Id);
        return draft is not null && clock.Read(draft.Path) is { } now ? now : throw new DirectoryNotFoundException();
    }

    private void SweepOwner(string path, StorageOwner self)
    {
        try
        {
            if (IsPastUse(path, self))
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
    private bool IsPastUse(string path, StorageOwner self)
    {
        using var file = self.OpenOther(path);
        var text = StorageOwner.ReadText(file);
        if (!self.IsOf(text))
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
