namespace KestrelAcme.DnsClient.Errors;

/// <summary>The zone of a name, or a name server of the zone, cannot be found.</summary>
public sealed class DnsZoneException : DnsException
{
    internal DnsZoneException(DnsName name, string problem)
        : base(problem) => Name = name;

    /// <summary>The name or zone looked for.</summary>
    public DnsName Name { get; }
}
