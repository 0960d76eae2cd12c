namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>A name that is to be in a certificate.</summary>
/// <param name="Name">An A-label in lower case, without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is meant.</param>
internal sealed record CaaSubject(string Name, bool Wildcard)
{
    public override string ToString() => Wildcard ? $"*.{Name}" : Name;
}
