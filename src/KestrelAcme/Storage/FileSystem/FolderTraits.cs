namespace KestrelAcme.Storage.FileSystem;

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
}
