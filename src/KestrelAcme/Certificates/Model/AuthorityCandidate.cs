
namespace KestrelAcme.Certificates.Model;

/// <summary>An authority that could be ordered from.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Failures">How often in a row it failed this certificate by its own fault.</param>
/// <param name="OpenUntil">Until when it is left alone.</param>
internal readonly record struct AuthorityCandidate(string Id, int Failures, DateTimeOffset OpenUntil)
{
    /// <summary>Whether it refuses the account, or the profile, whatever the names are.</summary>
    public bool IsBlocked { get; init; }
}
