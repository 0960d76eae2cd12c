namespace KestrelAcme.EntityFrameworkCore;

/// <summary>
/// A row of the store: a value, a lease, or the counter of changes. Add it to a context with
/// <see cref="Microsoft.EntityFrameworkCore.AcmeHttpsModelBuilderExtensions.AddAcmeHttps"/>. Apps neither read nor write it.
/// </summary>
public sealed class AcmeHttpsEntry
{
    /// <summary>
    /// The key of a value after <c>v/</c>, the name of a lease after <c>l/</c>, or <c>counter</c>. ASCII, at most
    /// <see cref="MaxKeyLength"/> characters.
    /// </summary>
    public required string Key { get; set; }

    /// <summary>The value, which may contain a private key; <see langword="null"/> after its deletion.</summary>
    public byte[]? Value { get; set; }

    /// <summary>The number of the change that wrote or deleted the value; 0 if the row is not a value.</summary>
    public long Version { get; set; }

    /// <summary>The fencing number of a lease, or the number of the last change.</summary>
    public long Number { get; set; }

    /// <summary>The holder of a lease, <see langword="null"/> if it is free; or, for the counter, the identity of the store.</summary>
    public string? Owner { get; set; }

    /// <summary>When the holder acquired the lease, by the database's clock.</summary>
    public DateTime? Since { get; set; }

    /// <summary>When the lease ends unless it is renewed, by the database's clock.</summary>
    public DateTime? Expires { get; set; }

    /// <summary>The maximum length of <see cref="Key"/>.</summary>
    public const int MaxKeyLength = Storage.StorageKey.MaxLength + 2;

    /// <summary>The key of the counter.</summary>
    internal const string Counter = "counter";

    internal static string OfValue(string key) => "v/" + key;

    internal static string OfLease(string name) => "l/" + name;

    /// <summary>Returns the key of a value.</summary>
    internal static string KeyOf(string key) => key[2..];
}
