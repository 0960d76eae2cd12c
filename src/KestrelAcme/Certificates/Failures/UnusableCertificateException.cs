using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>
/// The CA issued a certificate that must not be served: it has another key or other names, is already expired, or has no chain that clients
/// can verify.
/// </summary>
internal sealed class UnusableCertificateException(string message) : Exception(QuotedText.Of(message))
{
    /// <summary>
    /// Whether the certificate itself is wrong, so that only another order can help. Otherwise another download may return a better chain.
    /// </summary>
    public bool IsLeafWrong { get; init; }
}

/// <summary>
/// The CA issued a certificate that is not valid yet, while the current certificate is. The order is kept, and its certificate is
/// downloaded again when it is useful.
/// </summary>
internal sealed class CertificateNotYetValidException(DateTimeOffset notBefore, DateTimeOffset servedUntil, DateTimeOffset now) : Exception(
    $"The CA issued a certificate that is valid only from {notBefore:u}, and this machine's clock says {now:u}: clients would refuse it "
    + $"until then. The current certificate, valid until {servedUntil:u}, is served until one of the two times. "
    + "If this machine's clock is wrong, set it; otherwise ask the CA why it issues certificates for the future.")
{
    /// <summary>The time until the certificate is valid, or the current one has expired, whichever comes first.</summary>
    public TimeSpan RetryAfter { get; } = (notBefore < servedUntil ? notBefore : servedUntil) - now;
}
