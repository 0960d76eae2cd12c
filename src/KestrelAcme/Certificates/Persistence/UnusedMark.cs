namespace KestrelAcme.Certificates.Persistence;

/// <summary>How long nothing has used a value of the store.</summary>
/// <param name="Since">The first time that it was found unused.</param>
/// <param name="Rounds">The number of daily rounds in which it was found unused.</param>
/// <param name="LastRound">The time of the last of them.</param>
internal sealed record UnusedMark(DateTimeOffset Since, int Rounds, DateTimeOffset LastRound);
