using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates;

/// <summary>A certificate could not be obtained. What was served before is still served, and the order is tried again by itself.</summary>
public sealed class CertificateException : Exception
{
    /// <summary>Creates the exception with what went wrong.</summary>
    /// <param name="certificateId">The certificate that failed.</param>
    /// <param name="failure">What went wrong.</param>
    /// <param name="innerException">The cause.</param>
    public CertificateException(string certificateId, CertificateFailure failure, Exception? innerException = null)
        : base(QuotedText.Of($"{certificateId}: {failure.Message}"), innerException)
        => Failure = failure;

    /// <summary>What went wrong, and when the next attempt is made.</summary>
    public CertificateFailure Failure { get; }
}
