using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>A revocation list that proves nothing: malformed, not signed by the issuer, or about other certificates.</summary>
internal sealed class UnusableRevocationListException(string message, Exception? innerException = null) : Exception(QuotedText.Of(message), innerException);
