namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>The account that a record of dns-persist-01 names.</summary>
/// <param name="Url">The account's URL.</param>
/// <param name="Thumbprint">The thumbprint of its key (RFC 7638); <see langword="null"/> if it is not known, as to a handler of an older
/// caller.</param>
/// <param name="ProveAsync">Asks the authority whether this account is valid, before anybody is asked to create a record for it; <see
/// langword="null"/> if nobody can.</param>
internal sealed record PersistAccount(Uri Url, string? Thumbprint, Func<CancellationToken, Task>? ProveAsync);
