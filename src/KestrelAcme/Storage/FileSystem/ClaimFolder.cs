using System.Globalization;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>The folder of a claim to a lease, and the files in it. <see cref="LeaseClaims"/> explains what they mean.</summary>
internal static class ClaimFolder
{
    /// <summary>The file that says that the lease was lost.</summary>
    public const string Broken = "broken";

    /// <summary>The end of the names of folders that are out of use, but cannot be deleted yet.</summary>
    public const string Aside = ".dead";

    private const int CleaningAttempts = 4;

    /// <summary>After this time an instance that asks has died or was stopped.</summary>
    private static readonly TimeSpan MaxAsking = TimeSpan.FromSeconds(5);

    /// <summary>Makes a claim that asks one that holds, once it is alone.</summary>
    /// <returns><see langword="false"/> if another instance removed the claim, because it asked for too long.</returns>
    public static bool TryHold(LeaseClaim claim, TimeSpan duration)
    {
        if (claim.Stamp is not null)
        {
            return true;
        }

        var stamp = NameOf(claim.Asked, duration, 0);
        try
        {
            FilePermissions.Open(Path.Join(claim.Folder, stamp), FileMode.CreateNew, FileAccess.Write, FileShare.None).Dispose();
            claim.Stamp = stamp;
            return true;
        }
        catch (Exception exception) when (FileFault.IsGone(exception, claim.Folder))
        {
            return false;
        }
    }

    /// <summary>Restarts the duration of a claim that holds.</summary>
    /// <returns><see langword="false"/> if another instance broke it.</returns>
    public static bool TryRenew(LeaseClaim claim, DateTimeOffset since, TimeSpan duration)
    {
        var stamp = NameOf(since, duration, ++claim.Renewals);
        // If the answer of a file server was lost, the request was repeated, and failed.
        var target = Path.Join(claim.Folder, stamp);
        if (claim.Stamp is not { } last || !(AtomicRename.TryRun(Path.Join(claim.Folder, last), target) || File.Exists(target)))
        {
            return false;
        }

        claim.Stamp = stamp;
        return true;
    }

    /// <summary>Reads what a claim does.</summary>
    public static ClaimState Look(string folder)
    {
        if (List(folder) is not { } names)
        {
            return default;
        }

        if (names.Contains(Broken))
        {
            return new(ClaimKind.Broken, null, default, default);
        }

        foreach (var name in names)
        {
            if (TryParse(name, out var since, out var duration))
            {
                return new(ClaimKind.Held, name, since, since + duration);
            }
        }

        return ServerClock.TimeOf(folder) switch
        {
            null => default,
            { } asked when names.Count == 0 => new(ClaimKind.Asking, null, asked, asked + MaxAsking),
            { } changed => new(ClaimKind.Held, null, changed, changed + StorageLease.MaxDuration),
        };
    }

    /// <returns>The names in a folder; <see langword="null"/> if it does not exist.</returns>
    private static List<string>? List(string folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path))];
        }
        catch (Exception exception) when (FileFault.IsGone(exception, folder))
        {
            return null;
        }
    }

    // The number makes each name unique, so that it is never mistaken for an earlier one.
    private static string NameOf(DateTimeOffset since, TimeSpan duration, int renewals) => string.Create(
        CultureInfo.InvariantCulture,
        $"held-{since.ToUnixTimeMilliseconds()}-{(long)Math.Ceiling(duration.TotalMilliseconds)}-{renewals}");

    // What its owner may still write and move.
    private static bool IsDraft(string name)
        => name.StartsWith('~') && name.EndsWith(StoragePaths.TemporarySuffix, StringComparison.Ordinal);

    private static bool IsMark(string name) => name == Broken || TryParse(name, out _, out _);

    private static bool TryParse(string name, out DateTimeOffset since, out TimeSpan duration)
    {
        (since, duration) = (default, default);
        if (name.Split('-') is not ["held", var from, var length, _]
            || !long.TryParse(from, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            || !long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var lasts)
            || milliseconds > DateTimeOffset.MaxValue.ToUnixTimeMilliseconds() - (2 * lasts)
            || lasts > StorageLease.MaxDuration.TotalMilliseconds)
        {
            return false;
        }

        (since, duration) = (DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), TimeSpan.FromMilliseconds(lasts));
        return true;
    }

    /// <summary>Deletes the folder of a claim that is over, with all that is in it.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="claims">The folder of all claims.</param>
    /// <returns><see langword="false"/> if something in it cannot be deleted.</returns>
    public static bool TryClean(string folder, string claims)
    {
        for (var attempt = 0; attempt < CleaningAttempts; attempt++)
        {
            if (List(folder) is not { } names)
            {
                return true;
            }

            // The marks go last: a claim without them could not be told from one that is being renewed.
            foreach (var name in names.Where(name => !IsMark(name)))
            {
                AtomicFile.TryDelete(Path.Join(folder, name));
            }

            if (List(folder) is { } left && left.All(IsMark))
            {
                left.ForEach(mark => AtomicFile.TryDelete(Path.Join(folder, mark)));
            }

            if (TryDelete(folder))
            {
                return true;
            }
        }

        return !folder.EndsWith(Aside, StringComparison.Ordinal) && List(folder)?.Exists(IsDraft) != true && TryMoveAside(folder, claims);
    }

    // A deleted file that a process of this host has open is kept under another name by NFS, SMB and FUSE. Other programs make folders.
    private static bool TryMoveAside(string folder, string claims)
    {
        try
        {
            Directory.Move(folder, Path.Join(claims, $"~{Guid.NewGuid():n}{Aside}"));
            return true;
        }
        catch (Exception exception) when (FileFault.IsGone(exception, folder))
        {
            return true;
        }
    }

    /// <summary>Deletes the folder of a claim if it is empty.</summary>
    /// <returns><see langword="false"/> if it is not.</returns>
    public static bool TryDelete(string folder)
    {
        try
        {
            Directory.Delete(folder);
            return true;
        }
        catch (Exception exception) when (FileFault.IsGone(exception, folder))
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}

/// <summary>A claim of this instance to a lease.</summary>
/// <param name="folder">Its folder.</param>
/// <param name="asked">When it was placed, in the time of the file server.</param>
internal sealed class LeaseClaim(string folder, DateTimeOffset asked)
{
    public string Folder => folder;

    public DateTimeOffset Asked => asked;

    /// <summary>The file that says since when the lease is held. Changed only inside the lease's section.</summary>
    public string? Stamp { get; set; }

    /// <summary>How often it was renewed. Changed only inside the lease's section.</summary>
    public int Renewals { get; set; }
}

/// <summary>What a claim does.</summary>
internal enum ClaimKind
{
    Gone,
    Asking,
    Held,
    Broken,
}

/// <summary>The state of a claim.</summary>
/// <param name="Kind">What the claim does.</param>
/// <param name="Stamp">The name of the file that says so.</param>
/// <param name="Since">Since when, in the time of the file server.</param>
/// <param name="End">When it is over.</param>
internal readonly record struct ClaimState(ClaimKind Kind, string? Stamp, DateTimeOffset Since, DateTimeOffset End);
