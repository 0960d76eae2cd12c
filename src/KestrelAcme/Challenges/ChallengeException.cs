namespace KestrelAcme.Challenges;

/// <summary>A challenge could not be answered, for a reason on our side of the wire.</summary>
public sealed class ChallengeException : Exception
{
    /// <summary>Creates the exception with a message that names the domain, the place and the way out.</summary>
    public ChallengeException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
