namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Looks before an order whether CAA records forbid it (RFC 8659, RFC 8657).</summary>
internal interface ICaaCheck
{
    /// <summary>
    /// Returns when nothing is known to forbid the order. What only a resolver says, or cannot be looked up in time, is logged and forbids nothing; without
    /// <see cref="CaaRequest.CaaIdentities"/> nothing is looked up.
    /// </summary>
    /// <exception cref="ChallengeException">
    /// Name servers of the zone itself forbid it; <see cref="ChallengeException.Fault"/> is <see cref="ChallengeFault.Operator"/>, and the message shows the record to add.
    /// </exception>
    Task CheckAsync(CaaRequest request, CancellationToken cancellationToken);
}
