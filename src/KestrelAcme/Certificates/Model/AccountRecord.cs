namespace KestrelAcme.Certificates.Model;

/// <summary>An account as it is stored: its key and where it was created.</summary>
/// <param name="PrivateKeyPem">The account's key.</param>
/// <param name="Metadata">Where it was created.</param>
/// <param name="NextPrivateKeyPem">The key that is to take its place, from before the authority is asked until it has answered: after a crash in between either may be the right one.</param>
internal sealed record AccountRecord(string PrivateKeyPem, AccountMetadata Metadata, string? NextPrivateKeyPem = null)
{
    /// <summary>Whether only the keys could be read: the authority has to be asked which account they belong to. Not stored.</summary>
    public bool IsRepaired { get; init; }

    public override string ToString() => $"account {Metadata.AccountUrl?.ToString() ?? "(not created)"} at {Metadata.DirectoryUrl}";
}

/// <summary>What is stored beside an account's key.</summary>
internal sealed record AccountMetadata
{
    public int Version { get; init; } = 1;

    public required Uri DirectoryUrl { get; init; }

    /// <summary>The account's URL; <see langword="null"/> while the key is stored but the account is not yet created.</summary>
    public Uri? AccountUrl { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When accounts were registered anew of late, since the authority no longer knew the one before.</summary>
    public DateTimeOffset[]? RegisteredAnew { get; init; }

    /// <summary>When the key was replaced last because the authority refused it.</summary>
    public DateTimeOffset? KeyReplacedAt { get; init; }

    /// <summary>The contact that the authority was given last.</summary>
    public string? EmailAddress { get; init; }
}
