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
