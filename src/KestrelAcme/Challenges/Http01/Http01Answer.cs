using System.Net;

namespace KestrelAcme.Challenges.Http01;

/// <summary>The answer to one open challenge, and who asked for it.</summary>
internal sealed record Http01Answer(string KeyAuthorization)
{
    /// <summary>How many open challenges it answers. Changed under the table's lock.</summary>
    public int Users { get; set; }

    /// <summary>What each address of the name did when the self-check asked there last. Replaced as a whole.</summary>
    public IReadOnlyList<(IPAddress Address, TokenProbeResult Result)> Notes { get; set; } = [];

    public TokenRequests Requests { get; } = new();

    public override string ToString() => $"{Requests.Count} requests";
}
