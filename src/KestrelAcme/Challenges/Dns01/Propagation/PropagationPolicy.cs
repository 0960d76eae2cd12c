namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Decides when to ask name servers again, and when the record is visible. Pure.</summary>
internal static class PropagationPolicy
{
    public static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    public static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a server may refuse before it counts as unusable. A server that restarts or loads its zone responds again soon, possibly
    /// without the record.
    /// </summary>
    public static readonly TimeSpan RefusalPatience = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The minimum time between creating a record and submitting the challenge if only the resolvers show the record. They ask one name
    /// server, and the CA may ask another.
    /// </summary>
    public static readonly TimeSpan LeastWaitWithoutServers = TimeSpan.FromSeconds(20);

    /// <summary>How long resolvers may fail to respond if the name servers do not respond either.</summary>
    public static readonly TimeSpan ResolverPatience = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Returns the pause: a fifth of the elapsed time, so that no wait is more than a fifth longer than necessary, and a slow zone is not
    /// queried all the time.
    /// </summary>
    public static TimeSpan NextPause(TimeSpan elapsed)
    {
        var pause = elapsed / 5;
        return pause < FirstPause ? FirstPause : pause > LongestPause ? LongestPause : pause;
    }

    /// <summary>
    /// Whether the challenge can be submitted: all servers show the record, or, unless every server is required, all usable servers do and
    /// there is at least one.
    /// </summary>
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
    /// Whether no server responds with authority. Either this network blocks them, or all of them are broken; waiting for them is useless.
    /// </summary>
    public static bool NoneIsAuthority(IEnumerable<ServerState> servers) => servers.All(state => state == ServerState.Unusable);
}
