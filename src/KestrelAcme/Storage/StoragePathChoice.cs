namespace KestrelAcme.Storage;

/// <summary>A folder to store in, or why there is none and what to do.</summary>
internal readonly record struct StoragePathChoice(string? Path, string? Problem);
