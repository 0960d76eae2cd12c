using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates;

/// <summary>
/// The exception that is thrown if a certificate could not be obtained. The current certificate, if there is one, is still served, and
/// KestrelAcme tries again at <see cref="CertificateFailure.NextAttempt"/>.
/// </summary>
public sealed class CertificateException : Exception
{
    /// <summary>Initializes a new instance with the failure.</summary>
    /// <param name="certificateId">The <see cref="CertificateStatus.Id"/> of the certificate.</param>
    /// <param name="failure">The failure.</param>
    /// <param name="innerException">The exception that caused the failure.</param>
    public CertificateException(string certificateId, CertificateFailure failure, Exception? innerException = null)
        : base(QuotedText.Of($"{certificateId}: {failure.Message}"), innerException)
        => Failure = failure;

    /// <summary>The failure, with its cause and the time of the next attempt.</summary>
    public CertificateFailure Failure { get; }
}
