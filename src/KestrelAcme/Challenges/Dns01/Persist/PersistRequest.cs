namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>What a record of dns-persist-01 has to allow.</summary>
/// <param name="Domain">The name, without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is meant.</param>
/// <param name="AccountUrl">Who orders.</param>
/// <param name="Issuers">The names by which records know the authority; not empty.</param>
internal sealed record PersistRequest(string Domain, bool Wildcard, Uri AccountUrl, IReadOnlyList<string> Issuers);
