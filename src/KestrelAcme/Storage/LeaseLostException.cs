using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>A write was refused because the lease it was made under has ended or was given to another holder since.</summary>
public sealed class LeaseLostException : InvalidOperationException
{
    /// <summary>Creates the exception for a lease.</summary>
    public LeaseLostException(string leaseName)
        : base($"The lease '{QuotedText.Of(leaseName, QuotedText.MaxNameLength)}' has ended, or another instance holds it now; nothing was written.")
        => LeaseName = leaseName;

    /// <summary>The name of the lease.</summary>
    public string LeaseName { get; }
}
