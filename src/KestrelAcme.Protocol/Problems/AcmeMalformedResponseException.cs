namespace KestrelAcme.Protocol.Problems;

/// <summary>There was an answer, but not one of ACME: not JSON, too large, of the wrong type, or without what it must hold.</summary>
public sealed class AcmeMalformedResponseException : AcmeException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What failed and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public AcmeMalformedResponseException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
