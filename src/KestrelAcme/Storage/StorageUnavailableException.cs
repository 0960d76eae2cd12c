using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>The store could not be read or written: unreachable, full, read-only, forbidden. Says nothing about whether a value exists.</summary>
public sealed class StorageUnavailableException : IOException
{
    /// <summary>Creates the exception with a message that names the place and the way out.</summary>
    public StorageUnavailableException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}
