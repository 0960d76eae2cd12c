namespace KestrelAcme.Protocol.Problems;

/// <summary>No answer: the name did not resolve, no connection, TLS failed or is not trusted, the time-out passed, or the connection broke.</summary>
public sealed class AcmeUnreachableException : AcmeException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What failed and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeUnreachableException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }

    /// <summary>What failed.</summary>
    public AcmeUnreachableReason Reason { get; init; }

    /// <summary>Whether TLS failed, which no repetition mends: as a rule the certificate of the server is not trusted here.</summary>
    public bool IsTlsFailure { get; init; }

    /// <summary>Whether the server's certificate was compared with roots that the options name, besides those of the system.</summary>
    public bool HadTrustedRoots { get; init; }
}
