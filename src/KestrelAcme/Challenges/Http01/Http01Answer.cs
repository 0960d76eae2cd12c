namespace KestrelAcme.Challenges.Http01;

/// <summary>The answer to one open challenge, and who asked for it.</summary>
internal sealed record Http01Answer(string KeyAuthorization)
{
    /// <summary>How many open challenges it answers. Changed under the table's lock.</summary>
    public int Users { get; set; }

    public TokenRequests Requests { get; } = new();

    public override string ToString() => $"{Requests.Count} requests";
}
