namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>What is about to be ordered, by whom, and how it would be proved.</summary>
internal sealed record CaaRequest
{
    /// <summary>The DNS names; IP addresses have no CAA records.</summary>
    public required IReadOnlyList<CaaSubject> Subjects { get; init; }

    /// <summary>The names of the authority in CAA records; empty when it does not say: then nothing can be judged.</summary>
    public required IReadOnlyList<string> CaaIdentities { get; init; }

    /// <summary>The account's URL.</summary>
    public required Uri AccountUrl { get; init; }

    /// <summary>The challenge types that may be used.</summary>
    public required IReadOnlyList<string> ChallengeTypes { get; init; }
}
