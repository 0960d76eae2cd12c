namespace KestrelAcme.Storage.FileSystem;

/// <summary>A value as a scan saw it: when time or length differ, it was written in between.</summary>
internal readonly record struct ScannedFile(string Key, long WrittenTicks, long Length);
