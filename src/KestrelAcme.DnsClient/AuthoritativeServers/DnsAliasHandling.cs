namespace KestrelAcme.DnsClient.AuthoritativeServers;

/// <summary>Which CNAMEs a look-up of a name's zone follows.</summary>
public enum DnsAliasHandling
{
    /// <summary>
    /// Those that exist, and not those that a wildcard (<c>*.example.com CNAME …</c>) only makes up for a name that does not exist: a
    /// record created at the name takes their place.
    /// </summary>
    FollowExisting,

    /// <summary>All of them, as a resolver does.</summary>
    FollowAll,

    /// <summary>None.</summary>
    Ignore,
}
