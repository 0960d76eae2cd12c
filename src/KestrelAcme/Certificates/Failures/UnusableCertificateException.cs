using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Failures;

/// <summary>
/// The authority issued something that must not be served: another key, other names, already expired, or without a chain that clients could
/// follow.
/// </summary>
internal sealed class UnusableCertificateException(string message) : Exception(QuotedText.Of(message))
{
    /// <summary>
    /// Whether the certificate itself is wrong, so that only another order can help; otherwise another download may bring a better chain.
    /// </summary>
    public bool IsLeafWrong { get; init; }
}
