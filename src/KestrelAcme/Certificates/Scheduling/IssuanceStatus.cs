namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Whether this instance orders, as found at the start and after each reload.</summary>
internal sealed class IssuanceStatus
{
    private volatile string? _reason = "The start is not finished.";

    /// <summary>Why nothing is ordered and what to do; <see langword="null"/> when orders may be placed.</summary>
    public string? ReasonNotToOrder
    {
        get => _reason;
        set => _reason = value;
    }
}
