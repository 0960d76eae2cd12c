namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>The order that is about to be placed: names, account and challenge types.</summary>
internal sealed record CaaRequest
{
    /// <summary>The DNS names. IP addresses have no CAA records.</summary>
    public required IReadOnlyList<CaaSubject> Subjects { get; init; }

    /// <summary>The CA's names in CAA records; empty if its directory has none, in which case nothing can be checked.</summary>
    public required IReadOnlyList<string> CaaIdentities { get; init; }

    /// <summary>The URL of the account.</summary>
    public required Uri AccountUrl { get; init; }

    /// <summary>The challenge types that may be used.</summary>
    public required IReadOnlyList<string> ChallengeTypes { get; init; }
}

/// <summary>A DNS name to be included in a certificate.</summary>
/// <param name="Name">A lower-case A-label without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is ordered.</param>
internal sealed record CaaSubject(string Name, bool Wildcard)
{
    public override string ToString() => Wildcard ? $"*.{Name}" : Name;
}
