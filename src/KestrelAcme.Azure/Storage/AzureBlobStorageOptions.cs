namespace KestrelAcme.Azure.Storage;

/// <summary>Options for a store in a container of Azure Blob Storage.</summary>
public sealed class AzureBlobStorageOptions
{
    internal const int MaxPrefixLength = 200;

    /// <summary>
    /// A folder within the container, such as <c>shop</c> or <c>shop/production</c>, so that several apps can share a container.
    /// </summary>
    /// <value>
    /// Empty by default: the container's root. Letters, digits, <c>-</c>, <c>_</c> and <c>/</c> between two names, at most 200 characters.
    /// </value>
    public string Prefix { get; set; } = "";

    /// <summary>
    /// How often each instance looks for changes that others have made: one small request each time. While another instance orders, or a
    /// challenge is shared, it looks every second for ten seconds and then every three seconds, until nothing has happened for two minutes.
    /// </summary>
    /// <value>One minute by default; from 100 milliseconds to one hour.</value>
    public TimeSpan PollInterval { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Whether the container is created if it does not exist. This needs a role on the storage account, or a connection string.
    /// </summary>
    /// <value><see langword="true"/> by default.</value>
    public bool CreateContainer { get; set; } = true;

    /// <summary>Returns what is wrong: the value, the reason and the fix.</summary>
    /// <param name="name">The name under which the app sets these options.</param>
    internal IEnumerable<string> Problems(string name)
    {
        if (Prefix is null || Prefix.Length > MaxPrefixLength || (Prefix.Length > 0 && !Prefix.Split('/').All(IsFolder)))
        {
            yield return $"{name}.{nameof(Prefix)} '{Diagnostics.QuotedText.Of(Prefix, MaxPrefixLength)}' is not a folder: use letters, "
                + $"digits, '-' and '_', with '/' between two names, at most {MaxPrefixLength} characters, such as 'shop/production'.";
        }

        if (PollInterval < TimeSpan.FromMilliseconds(100) || PollInterval > TimeSpan.FromHours(1))
        {
            yield return $"{name}.{nameof(PollInterval)} {PollInterval} is out of range: set 100 milliseconds to 1 hour, such as 00:01:00.";
        }
    }

    private static bool IsFolder(string name) => name.Length > 0 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}
