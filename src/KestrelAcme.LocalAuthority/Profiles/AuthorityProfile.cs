namespace KestrelAcme.LocalAuthority.Profiles;

/// <summary>A certificate profile (draft-aaron-acme-profiles). Immutable.</summary>
/// <param name="Name">The value of <c>profile</c> in orders.</param>
/// <param name="Validity">The validity of certificates, at least one second.</param>
public sealed record AuthorityProfile(string Name, TimeSpan Validity)
{
    /// <summary>The description in the directory.</summary>
    /// <value>The name by default.</value>
    public string Description { get; init; } = Name;

    /// <summary>Whether the first DNS name, if it has at most 64 characters, becomes the subject's common name.</summary>
    /// <value>False by default: the subject is empty.</value>
    public bool CommonName { get; init; }
}
