using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.Model;

/// <summary>A stored value cannot be read back. The message continues "the value is damaged: ...".</summary>
internal sealed class DamagedValueException(string message, Exception? innerException = null) : Exception(QuotedText.Of(message), innerException);
