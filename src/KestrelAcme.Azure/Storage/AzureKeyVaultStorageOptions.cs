namespace KestrelAcme.Azure.Storage;

/// <summary>Options for a store in Azure Key Vault, with its index and leases in a container of Azure Blob Storage.</summary>
public sealed class AzureKeyVaultStorageOptions
{
    internal const int MaxPrefixLength = 20;

    /// <summary>The start of the names of all secrets, so that they are told from others in the vault.</summary>
    /// <value><c>kestrelacme</c> by default. Letters, digits and hyphens, from 1 to 20 characters.</value>
    public string SecretNamePrefix { get; set; } = "kestrelacme";

    /// <summary>The index: which secrets are current, the leases, and how changes are noticed.</summary>
    public AzureBlobStorageOptions Index { get; } = new();

    /// <summary>Returns what is wrong: the value, the reason and the fix.</summary>
    internal IEnumerable<string> Problems(string name)
    {
        if (SecretNamePrefix is not { Length: > 0 and <= MaxPrefixLength }
            || !SecretNamePrefix.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'))
        {
            yield return $"{name}.{nameof(SecretNamePrefix)} '{Diagnostics.QuotedText.Of(SecretNamePrefix, 100)}' cannot start the name "
                + $"of a secret: use 1 to {MaxPrefixLength} letters, digits and hyphens, such as 'kestrelacme'.";
        }

        foreach (var problem in Index.Problems($"{name}.{nameof(Index)}"))
        {
            yield return problem;
        }
    }
}
