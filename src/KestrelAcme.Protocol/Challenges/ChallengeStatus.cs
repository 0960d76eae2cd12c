namespace KestrelAcme.Protocol.Challenges;

/// <summary>The status of a challenge (RFC 8555 section 7.1.6).</summary>
public enum ChallengeStatus
{
    /// <summary>A status that this library does not know.</summary>
    Unknown,

    /// <summary>Waits for the client.</summary>
    Pending,

    /// <summary>Is being validated.</summary>
    Processing,

    /// <summary>Was met.</summary>
    Valid,

    /// <summary>Failed.</summary>
    Invalid,
}
