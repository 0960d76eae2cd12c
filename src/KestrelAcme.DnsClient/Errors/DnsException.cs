using KestrelAcme.Diagnostics;

namespace KestrelAcme.DnsClient.Errors;

/// <summary>Everything that goes wrong in DNS is one of these; the message names the server or the name and says what was said.</summary>
public abstract class DnsException : Exception
{
    private protected DnsException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}
