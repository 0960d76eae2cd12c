namespace KestrelAcme.Certificates.Model;

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
