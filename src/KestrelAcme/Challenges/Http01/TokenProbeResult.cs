namespace KestrelAcme.Challenges.Http01;

/// <summary>What came back when a token was asked for.</summary>
/// <param name="IsOurs">Whether it was our answer.</param>
/// <param name="ForeignAnswer">What somebody else answered; <see langword="null"/> when nobody did.</param>
internal sealed record TokenProbeResult(bool IsOurs, string? ForeignAnswer)
{
    public static TokenProbeResult Ours { get; } = new(true, null);

    /// <summary>The same host's HTTPS is to be asked.</summary>
    public static TokenProbeResult SentToHttps { get; } = new(false, null);

    public static TokenProbeResult Unreachable { get; } = new(false, null);

    public static TokenProbeResult Foreign(string answer) => new(false, answer);
}
