namespace KestrelAcme.DnsClient.Errors;

/// <summary>A chain of CNAMEs runs in a circle or is too long to follow.</summary>
public sealed class DnsAliasException : DnsException
{
    internal DnsAliasException(string problem, IReadOnlyList<DnsName> chain)
        : base($"The CNAMEs of {chain[0]} {problem}: {string.Join(" -> ", chain)}.") => Chain = chain;

    /// <summary>The names in order, the one that closes the circle included.</summary>
    public IReadOnlyList<DnsName> Chain { get; }
}
