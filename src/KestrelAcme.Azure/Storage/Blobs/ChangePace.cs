namespace KestrelAcme.Azure.Storage.Blobs;

/// <summary>
/// Decides how often to look for changes: rarely at rest, and often while something is going on that this instance waits for or has to
/// answer. Not thread-safe.
/// </summary>
internal sealed class ChangePace(TimeSpan interval, TimeProvider time)
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan FirstTime = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LaterPause = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan BusyTime = TimeSpan.FromMinutes(2);

    // The others answer these at once, by an acknowledgment.
    private static readonly string[] Shared = ["challenges/http-01/", "challenges/tls-alpn-01/"];

    // What is written at rest, too, is not among them: that instances run, what the CA advises, what nobody uses, when a list is read.
    private static readonly string[] Begun = [.. Shared, "challenges/acks/", "certificates/", "accounts/", "pace/", "domains/", "store/"];

    private long? _firstSince;
    private long? _busySince;

    /// <summary>The pause before the next look.</summary>
    public TimeSpan Pause => IsWithin(_firstSince, FirstTime) ? Shorter(FirstPause)
        : IsWithin(_busySince, BusyTime) ? Shorter(LaterPause)
        : interval;

    /// <summary>This instance has written: it waits for others only if it shared a challenge.</summary>
    /// <returns>Whether to look at once.</returns>
    public bool Wrote(string key) => Starts(key, Shared) && Hurry(again: true);

    /// <summary>Another instance has written.</summary>
    /// <returns>Whether to look at once.</returns>
    public bool OtherWrote(string key) => Starts(key, Begun) && Hurry(again: true);

    /// <summary>Another instance has a lease that this one asked for, and asks for again until it has it.</summary>
    /// <returns>Whether to look at once.</returns>
    public bool Refused(string lease) => lease != "housekeeping" && Hurry(again: false);

    private bool Hurry(bool again)
    {
        var before = Pause;
        _firstSince = again || !IsWithin(_busySince, BusyTime) ? time.GetTimestamp() : _firstSince;
        _busySince = time.GetTimestamp();
        return Pause < before;
    }

    private TimeSpan Shorter(TimeSpan pause) => pause < interval ? pause : interval;

    private bool IsWithin(long? since, TimeSpan span) => since is { } begun && time.GetElapsedTime(begun) < span;

    private static bool Starts(string key, string[] prefixes)
        => Array.Exists(prefixes, prefix => key.StartsWith(prefix, StringComparison.Ordinal));
}
