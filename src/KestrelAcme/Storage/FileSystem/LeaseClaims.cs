using System.Collections.Concurrent;

namespace KestrelAcme.Storage.FileSystem;

/// <summary>
/// Decides who has a lease, without relying on file locks or on the hosts' clocks: both may be of no use on a folder that hosts share.
/// </summary>
/// <remarks>
/// <para>
/// Each holder, and each instance that asks for a lease, has a claim: a folder of its own in <c>~claims</c>. While it is empty, its owner
/// asks. With the file <c>held-{since}-{duration}-{renewals}</c> in it, its owner holds the lease. With the file <c>broken</c>, it lost the
/// lease.
/// </para>
/// <para>
/// One holder: an instance places its claim first and lists the others' afterwards, so of two instances the later one sees the other. If
/// the other one holds the lease, it withdraws. If the other one asks, too, the claim with the smaller name waits to see what becomes of
/// the other, and the other one withdraws.
/// </para>
/// <para>
/// A lease that has expired: renewing it and breaking it rename the same file, and one of them fails. Its age is counted in the time of the
/// file server, or by this instance since it first saw it.
/// </para>
/// <para>
/// No late writes: whatever is written under a lease is drafted in the folder of its claim and moved from there. Nobody gets the lease
/// before that folder was removed with all that is in it, and from a folder that does not exist nothing can be moved, no matter how long
/// the former holder was stopped, between which two steps, and what it believes.
/// </para>
/// </remarks>
internal sealed class LeaseClaims(StoragePaths paths, ServerClock clock, TimeProvider time)
{
    private const int MaxObservations = 1000;

    private readonly ConcurrentDictionary<string, Observation> _observations = new(StringComparer.Ordinal);

    /// <summary>Places a claim that asks for a lease.</summary>
    /// <returns><see langword="null"/> if another instance removed it at once, because this one was stopped meanwhile.</returns>
    public LeaseClaim? TryPlace(StorageOwner owner, string name)
    {
        StoreFolders.ThrowIfLedAway(paths.Root, paths.Claims);
        FilePermissions.CreateFolder(paths.Claims);
        var folder = paths.NewClaim(name, owner.Id);
        FilePermissions.CreateFolderOnly(folder);
        return clock.Read(folder) is { } asked ? new(folder, asked) : null;
    }

    /// <summary>Looks at the others' claims to the same lease, and removes those that are over.</summary>
    /// <param name="own">The caller's claim.</param>
    /// <param name="isDead">Whether the instance with an ID is known to have died.</param>
    /// <param name="takenOver">Called with the folder of a claim whose dead owner held the lease.</param>
    public ClaimContest Contest(LeaseClaim own, Func<string, bool> isDead, Action<string> takenOver)
    {
        var result = ClaimContest.Alone;
        foreach (var other in OthersOf(own))
        {
            var state = ClaimFolder.Look(other);
            var dead = state.Kind != ClaimKind.Gone && isDead(StoragePaths.OwnerOfClaim(other));
            var over = dead || IsOver(other, state, own.Asked);
            if (over && TryRemove(other, state))
            {
                if (dead && state.Kind == ClaimKind.Held)
                {
                    takenOver(other);
                }

                continue;
            }

            // A claim that was over but could not be removed has changed meanwhile. It is checked again.
            if (!over && (state.Kind == ClaimKind.Held || string.CompareOrdinal(own.Folder, other) > 0))
            {
                return ClaimContest.Lost;
            }

            result = ClaimContest.Undecided;
        }

        return result;
    }

    /// <summary>Removes a claim of this instance, whatever is in it.</summary>
    public bool Withdraw(LeaseClaim claim) => ClaimFolder.TryClean(claim.Folder, paths.Claims);

    /// <summary>Removes claims of leases that nobody has asked for since their holders died.</summary>
    /// <param name="now">The time of the file server.</param>
    public void Sweep(DateTimeOffset now)
    {
        if (!Directory.Exists(paths.Claims))
        {
            return;
        }

        foreach (var folder in Directory.GetDirectories(paths.Claims))
        {
            if (folder.EndsWith(ClaimFolder.Aside, StringComparison.Ordinal))
            {
                ClaimFolder.TryClean(folder, paths.Claims);
            }
            else if (ClaimFolder.Look(folder) is { Kind: not ClaimKind.Gone } state && state.End + StorageLease.MaxDuration <= now)
            {
                TryRemove(folder, state);
            }
        }
    }

    private IEnumerable<string> OthersOf(LeaseClaim own)
    {
        var lease = StoragePaths.LeaseOfClaim(own.Folder);
        return Directory.EnumerateFileSystemEntries(paths.Claims)
            .Where(other => !other.EndsWith(ClaimFolder.Aside, StringComparison.Ordinal) && other != own.Folder
                && StoragePaths.LeaseOfClaim(other) == lease);
    }

    private bool IsOver(string folder, ClaimState state, DateTimeOffset now)
    {
        if (state.Kind is ClaimKind.Gone or ClaimKind.Broken || now >= state.End)
        {
            return true;
        }

        // By this instance's own count. The server's clock may have been set, too.
        if (_observations.Count >= MaxObservations)
        {
            _observations.Clear();
        }

        var seen = _observations.AddOrUpdate(
            folder,
            new Observation(state.Stamp, time.GetTimestamp()),
            (_, old) => old.Stamp == state.Stamp ? old : new Observation(state.Stamp, time.GetTimestamp()));
        return time.GetElapsedTime(seen.Since) >= state.End - state.Since;
    }

    /// <returns><see langword="false"/> if its owner was faster, or something in it cannot be removed.</returns>
    private bool TryRemove(string folder, ClaimState state)
    {
        _observations.TryRemove(folder, out _);
        switch (state.Kind)
        {
            case ClaimKind.Gone:
                return true;
            case ClaimKind.Asking:
                // Fails if its owner holds the lease by now.
                return ClaimFolder.TryDelete(folder);
            case ClaimKind.Held:
                var broken = Path.Join(folder, ClaimFolder.Broken);
                if (state.Stamp is null)
                {
                    FilePermissions.Open(broken, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite).Dispose();
                }
                else if (!AtomicRename.TryRun(Path.Join(folder, state.Stamp), broken) && !File.Exists(broken))
                {
                    return !Directory.Exists(folder);
                }

                break;
        }

        return ClaimFolder.TryClean(folder, paths.Claims);
    }

    private sealed record Observation(string? Stamp, long Since);
}

/// <summary>What an instance that asks for a lease found.</summary>
internal enum ClaimContest
{
    /// <summary>Nobody else holds the lease or asks for it.</summary>
    Alone,

    /// <summary>Another instance has it, or takes precedence.</summary>
    Lost,

    /// <summary>Another instance is about to get it or to give up: look again.</summary>
    Undecided,
}
