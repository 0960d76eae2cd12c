using KestrelAcme.Protocol.Directories;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>The account that a record of dns-persist-01 names.</summary>
/// <param name="Url">The account's URL.</param>
/// <param name="Thumbprint">The thumbprint of its key (RFC 7638); <see langword="null"/> if it is not known, as to a handler of an older
/// caller.</param>
/// <param name="ProveAsync">Asks the authority whether this account is valid, before anybody is asked to create a record for it; <see
/// langword="null"/> if nobody can.</param>
internal sealed record PersistAccount(Uri Url, string? Thumbprint, Func<CancellationToken, Task>? ProveAsync);

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

/// <summary>What an authority says about dns-persist-01 in its directory.</summary>
/// <param name="IssuerDomainNames">The names by which records know it (draft -02); empty where it does not say.</param>
/// <param name="AccountHashPrefix">What hashed account URIs begin with (draft -02).</param>
/// <param name="CaaIdentities">The names by which CAA records know it.</param>
internal sealed record PersistDirectory(
    IReadOnlyList<string> IssuerDomainNames, string? AccountHashPrefix, IReadOnlyList<string> CaaIdentities)
{
    public static PersistDirectory Of(AcmeDirectoryMeta meta) => new(meta.IssuerDomainNames, meta.AccountHashPrefix, meta.CaaIdentities);
}
