namespace KestrelAcme.Certificates.Persistence;

/// <summary>How long a value of the store has been found unused.</summary>
/// <param name="Since">When it was found so first.</param>
/// <param name="Rounds">In how many daily rounds it was found so.</param>
/// <param name="LastRound">When the last of them was.</param>
internal sealed record UnusedMark(DateTimeOffset Since, int Rounds, DateTimeOffset LastRound);
