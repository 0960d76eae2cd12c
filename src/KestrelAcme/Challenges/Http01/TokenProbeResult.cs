namespace KestrelAcme.Challenges.Http01;

/// <summary>What came back when a token was asked for.</summary>
/// <param name="IsOurs">Whether it was our answer.</param>
/// <param name="ForeignAnswer">What somebody else answered; <see langword="null"/> when nobody did.</param>
/// <param name="Silence">Why there was no answer: "did not answer within 3 s"; <see langword="null"/> when there was one.</param>
internal sealed record TokenProbeResult(bool IsOurs, string? ForeignAnswer, string? Silence)
{
    public static TokenProbeResult Ours { get; } = new(true, null, null);

    /// <summary>The same host's HTTPS is to be asked.</summary>
    public static TokenProbeResult SentToHttps { get; } = new(false, null, null);

    public static TokenProbeResult Foreign(string answer) => new(false, answer, null);

    public static TokenProbeResult Silent(string what) => new(false, null, what);

    /// <summary>What the address did, to be read after it.</summary>
    public override string ToString()
        => Silence
            ?? (ForeignAnswer is { } answer ? $"answers with {answer}" : IsOurs ? "answers with our token" : "redirects to its own HTTPS");
}
