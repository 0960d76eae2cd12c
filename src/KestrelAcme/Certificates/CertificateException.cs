namespace KestrelAcme.Certificates;

/// <summary>A certificate could not be obtained. What was served before is still served, and the order is tried again by itself.</summary>
public sealed class CertificateException : Exception
{
    /// <summary>Creates the exception with what went wrong.</summary>
    public CertificateException(CertificateFailure failure, Exception? innerException = null)
        : base(failure.Message, innerException)
        => Failure = failure;

    /// <summary>What went wrong, and when the next attempt is made.</summary>
    public CertificateFailure Failure { get; }
}
