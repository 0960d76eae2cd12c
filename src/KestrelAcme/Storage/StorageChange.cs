namespace KestrelAcme.Storage;

/// <summary>A notice that something below a watched prefix may have changed.</summary>
/// <param name="Key">The key that was written or deleted; <see langword="null"/> when anything may have changed.</param>
public readonly record struct StorageChange(string? Key)
{
    /// <summary>Anything may have changed: list and read again.</summary>
    public static StorageChange Everything => default;
}
