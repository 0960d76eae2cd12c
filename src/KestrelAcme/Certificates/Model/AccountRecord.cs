namespace KestrelAcme.Certificates.Model;

/// <summary>A stored account: its key and its metadata.</summary>
/// <param name="PrivateKeyPem">The key of the account, in PEM.</param>
/// <param name="Metadata">The metadata.</param>
/// <param name="NextPrivateKeyPem">
/// The new key during a rollover, from before the request until after the response. If the process ends in between, either key may be
/// right.
/// </param>
internal sealed record AccountRecord(string PrivateKeyPem, AccountMetadata Metadata, string? NextPrivateKeyPem = null)
{
    /// <summary>Whether only the keys could be read, so that the CA must be asked for their account. Not stored.</summary>
    public bool IsRepaired { get; init; }

    public override string ToString() => $"account {Metadata.AccountUrl?.ToString() ?? "(not created)"} at {Metadata.DirectoryUrl}";
}

/// <summary>The metadata that is stored with the key of an account.</summary>
internal sealed record AccountMetadata
{
    public int Version { get; init; } = 1;

    public required Uri DirectoryUrl { get; init; }

    /// <summary>The account URL; <see langword="null"/> if the key is stored but the account is not created yet.</summary>
    public Uri? AccountUrl { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The times of recent registrations that replaced an account that the CA no longer knew.</summary>
    public DateTimeOffset[]? RegisteredAnew { get; init; }

    /// <summary>The last time that the key was replaced because the CA refused it.</summary>
    public DateTimeOffset? KeyReplacedAt { get; init; }

    /// <summary>
    /// Proves that the instance that replaced the key knew the previous one: a MAC of the new key under the previous key;
    /// <see langword="null"/> for a key that replaced none.
    /// </summary>
    public string? Voucher { get; init; }

    /// <summary>The contact that the CA has.</summary>
    public string? EmailAddress { get; init; }
}
