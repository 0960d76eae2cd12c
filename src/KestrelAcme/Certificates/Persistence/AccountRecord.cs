namespace KestrelAcme.Certificates.Persistence;

/// <summary>An account as it is stored: its key and where it was created.</summary>
internal sealed record AccountRecord(string PrivateKeyPem, AccountMetadata Metadata)
{
    public override string ToString() => $"account {Metadata.AccountUrl?.ToString() ?? "(not created)"} at {Metadata.DirectoryUrl}";
}
