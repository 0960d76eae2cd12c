namespace KestrelAcme.Certificates.Failures;

/// <summary>
/// The CA issued a certificate that no client accepts yet, while the one that is served is valid. The order is kept: its certificate is
/// downloaded again when it is of use.
/// </summary>
internal sealed class CertificateNotYetValidException(DateTimeOffset notBefore, DateTimeOffset servedUntil, DateTimeOffset now) : Exception(
    $"The CA issued a certificate that is valid only from {notBefore:u}, and this machine's clock says {now:u}: clients would refuse it "
    + $"until then. The current certificate, valid until {servedUntil:u}, is served until one of the two times. "
    + "If this machine's clock is wrong, set it; otherwise ask the CA why it issues certificates for the future.")
{
    /// <summary>When to take it: once it is valid, or once there is nothing better.</summary>
    public TimeSpan RetryAfter { get; } = (notBefore < servedUntil ? notBefore : servedUntil) - now;
}
