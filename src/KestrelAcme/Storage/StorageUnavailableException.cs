using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>
/// Thrown if the store could not be read or written: it is unreachable, full, read-only, or access is denied. Says nothing about whether a
/// value exists.
/// </summary>
public sealed class StorageUnavailableException : IOException
{
    /// <summary>Creates the exception with a message that names the store and the fix.</summary>
    public StorageUnavailableException(string message, Exception? innerException = null)
        : base(QuotedText.Of(message), innerException)
    {
    }
}

/// <summary>Thrown if a write was refused because its lease has ended or another holder has acquired it since.</summary>
public sealed class LeaseLostException : InvalidOperationException
{
    /// <summary>Creates the exception for a lease.</summary>
    public LeaseLostException(string leaseName)
        : base($"The lease '{QuotedText.Of(leaseName, QuotedText.MaxNameLength)}' has ended, "
            + "or another instance holds it; nothing was written.")
        => LeaseName = leaseName;

    /// <summary>The name of the lease.</summary>
    public string LeaseName { get; }
}
