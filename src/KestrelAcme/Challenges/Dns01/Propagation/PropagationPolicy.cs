namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>When to look again, and when enough was seen. Pure.</summary>
internal static class PropagationPolicy
{
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>How long a server may refuse before it counts as unusable: one that restarts or loads its zone comes back, maybe without the record.</summary>
    public static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The least time between creating a record and telling the authority when only the resolvers show it: they ask one name server,
    /// the authority may ask another.
    /// </summary>
    public static readonly TimeSpan LeastWaitWithoutServers = TimeSpan.FromSeconds(20);

    /// <summary>How long resolvers may go without an answer when the name servers give none, either.</summary>
    public static readonly TimeSpan ResolverPatience = TimeSpan.FromSeconds(30);

    /// <summary>A fifth of the time that has passed: nobody waits for more than a fifth longer than was needed, and a slow zone is not asked all the time.</summary>
    public static TimeSpan NextPause(TimeSpan elapsed)
    {
        var pause = elapsed / 5;
        return pause < FirstPause ? FirstPause : pause > LongestPause ? LongestPause : pause;
    }

    /// <summary>Whether the authority may be told: all servers show the record, or, unless each is required, all that are of any use, and there is one.</summary>
    public static bool IsVisible(IEnumerable<ServerState> servers, bool requireEveryServer)
    {
        var visible = 0;
        foreach (var state in servers)
        {
            if (state == ServerState.Pending || (state == ServerState.Unusable && requireEveryServer))
            {
                return false;
            }

            visible += state == ServerState.Visible ? 1 : 0;
        }

        return visible > 0;
    }

    /// <summary>
    /// Whether no server answers as an authority: it is this network that keeps us from them, or all of them are broken. To wait for
    /// them is of no use.
    /// </summary>
    public static bool NoneIsAuthority(IEnumerable<ServerState> servers) => servers.All(state => state == ServerState.Unusable);
}
