namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>Whether records allow an authority to issue.</summary>
/// <param name="Kind">The verdict.</param>
/// <param name="Reason">Why, to be read after the name of the records' owner; empty when it is allowed.</param>
internal sealed record CaaVerdict(CaaVerdictKind Kind, string Reason)
{
    public static CaaVerdict Allowed { get; } = new(CaaVerdictKind.Allowed, "");
}
