namespace KestrelAcme.Certificates.Authorities;

/// <summary>What is kept of the answer that refused the account or a profile.</summary>
/// <param name="ProblemType">The problem's type.</param>
/// <param name="AtOrder">Whether an order was refused.</param>
/// <param name="Cause">The answer, if there was one.</param>
internal readonly record struct RefusalFacts(string? ProblemType, bool AtOrder, Exception? Cause)
{
    /// <summary>When the attempt began: what was found out since counts once.</summary>
    public DateTimeOffset Since { get; init; } = DateTimeOffset.MaxValue;
}
