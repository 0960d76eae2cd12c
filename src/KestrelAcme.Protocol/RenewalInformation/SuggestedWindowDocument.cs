namespace KestrelAcme.Protocol.RenewalInformation;

/// <summary>The window as it is on the wire.</summary>
internal sealed class SuggestedWindowDocument
{
    public string? Start { get; init; }

    public string? End { get; init; }
}
