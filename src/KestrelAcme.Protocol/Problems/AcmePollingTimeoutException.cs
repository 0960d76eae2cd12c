namespace KestrelAcme.Protocol.Problems;

/// <summary>An order or an authorization did not get on within <see cref="AcmePollingOptions.Timeout"/>. Nothing is lost: wait for the same URL again later.</summary>
public sealed class AcmePollingTimeoutException : AcmeException
{
    /// <summary>Makes an exception.</summary>
    /// <param name="message">What failed and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public AcmePollingTimeoutException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
