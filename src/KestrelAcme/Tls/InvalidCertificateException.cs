using KestrelAcme.Diagnostics;

namespace KestrelAcme.Tls;

/// <summary>A certificate that must not be served: its key does not match, its chain is out of order, or its bytes cannot be read.</summary>
internal sealed class InvalidCertificateException(string message, Exception? innerException = null) : Exception(QuotedText.Of(message), innerException);
