using KestrelAcme.Diagnostics;

namespace KestrelAcme.Protocol.Transport;

/// <summary>No connection to any address of a host; the message names each address and what became of it.</summary>
internal sealed class ConnectFailedException(string message, bool isNameResolution = false, Exception? innerException = null)
    : IOException(QuotedText.Of(message), innerException)
{
    /// <summary>Whether the host has no address at all, as far as this machine's DNS knows.</summary>
    public bool IsNameResolution => isNameResolution;
}
