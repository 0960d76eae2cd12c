namespace KestrelAcme.Testing.Servers;

/// <summary>
/// A zone of a <see cref="BindServer"/>: SOA, NS ns1 (and ns2 with a secondary) with their addresses, and additional records in master
/// file syntax.
/// </summary>
/// <param name="Name">Without a trailing dot.</param>
/// <param name="Records">For example `www IN A 127.0.0.1` or `_acme-challenge.www IN CNAME elsewhere.example.`</param>
public sealed record BindZone(string Name, params string[] Records)
{
    /// <summary>More statements of named.conf for the zone, such as `allow-query { none; };`. <value>None.</value></summary>
    public string Statements { get; init; } = "";
}
