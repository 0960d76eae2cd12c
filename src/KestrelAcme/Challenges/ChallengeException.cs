using KestrelAcme.Diagnostics;

namespace KestrelAcme.Challenges;

/// <summary>A challenge could not be answered, for a reason on our side of the wire.</summary>
public sealed class ChallengeException : Exception
{
    /// <summary>Creates the exception with a message that names the domain, the place and the way out.</summary>
    public ChallengeException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }

    /// <summary>Who has to mend it.</summary>
    /// <value><see cref="ChallengeFault.Name"/>.</value>
    public ChallengeFault Fault { get; init; }

    /// <summary>How long whoever refused asked to wait.</summary>
    /// <value><see langword="null"/>: nobody asked.</value>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>The DNS records that a person has to create to mend it.</summary>
    /// <value>Empty: no record does.</value>
    public IReadOnlyList<RequiredDnsRecord> RequiredRecords { get; init; } = [];
}
