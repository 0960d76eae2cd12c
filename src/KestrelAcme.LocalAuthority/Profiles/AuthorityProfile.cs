namespace KestrelAcme.LocalAuthority.Profiles;

/// <summary>A certificate profile that orders may name (draft-aaron-acme-profiles). Immutable.</summary>
/// <param name="Name">What clients write into <c>profile</c>.</param>
/// <param name="Validity">How long certificates are valid, from a second up.</param>
public sealed record AuthorityProfile(string Name, TimeSpan Validity)
{
    /// <summary>What the directory says about it.</summary>
    /// <value>By default the name.</value>
    public string Description { get; init; } = Name;

    /// <summary>Whether the first DNS name, if it has at most 64 characters, is the subject's common name.</summary>
    /// <value>By default false: the subject is empty.</value>
    public bool CommonName { get; init; }
}
