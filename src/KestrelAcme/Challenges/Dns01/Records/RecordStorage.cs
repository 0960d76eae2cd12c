using KestrelAcme.Storage;

namespace KestrelAcme.Challenges.Dns01.Records;

/// <summary>The store as those ask it who change records.</summary>
internal static class RecordStorage
{
    // A clean-up has half a minute: for the lock of the name, for the notes of others, and for the provider, which is what matters.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(8);

    /// <summary>A store that gives up soon: what it is asked for can be done without.</summary>
    public static BoundedStorage Of(BoundedStorage storage) => storage.Within(Limit);
}
