namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>What a record of dns-persist-01 has to allow.</summary>
/// <param name="Domain">The name, without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is meant.</param>
/// <param name="Account">Who orders.</param>
/// <param name="Issuers">The names by which records know the authority; not empty. The first is the one that is shown.</param>
internal sealed record PersistRequest(string Domain, bool Wildcard, PersistAccount Account, IReadOnlyList<string> Issuers)
{
    /// <summary>
    /// What hashed account URIs begin with, at an authority of draft -02; <see langword="null"/>: the record holds the account's URL.
    /// </summary>
    public string? AccountHashPrefix { get; init; }
}
