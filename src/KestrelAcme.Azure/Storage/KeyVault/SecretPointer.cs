namespace KestrelAcme.Azure.Storage.KeyVault;

/// <summary>The content of a value's blob in the index: where the value is in the vault.</summary>
/// <param name="Name">The start of the secrets' names; the part's number follows.</param>
/// <param name="Versions">The version of each part, in order. Empty for an empty value.</param>
/// <param name="Length">The length of the value, in bytes.</param>
internal sealed record SecretPointer(string Name, IReadOnlyList<string> Versions, int Length)
{
    /// <summary>The name of a part's secret.</summary>
    public string NameOf(int part) => $"{Name}-{part}";
}
