namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Finds out whether CAA records bind names to accounts (RFC 8657 section 3).</summary>
internal interface ICaaAccounts
{
    /// <returns>Whether a record of any of the names allows an authority for certain accounts only. What cannot be looked up in time binds nothing.</returns>
    Task<bool> AreNamedAsync(IReadOnlyList<CaaSubject> subjects, IReadOnlyList<string> caaIdentities, CancellationToken cancellationToken);
}
