namespace KestrelAcme.Configuration.Snapshot;

/// <summary>One DNS provider, checked.</summary>
internal sealed record DnsProviderSpecification
{
    /// <summary>The type and its settings.</summary>
    public required DnsProviderSettings Settings { get; init; }

    /// <summary>The zones that it is for, A-labels in lower case; empty for all.</summary>
    public required EquatableArray<string> Zones { get; init; }

    /// <summary>Whether the CNAMEs of challenges' names are followed.</summary>
    public bool FollowCnames { get; init; } = true;

    /// <summary>How long a record may take until it is visible.</summary>
    public required TimeSpan PropagationTimeout { get; init; }

    /// <summary>The least time between creating a record and telling the authority.</summary>
    public required TimeSpan MinimumWait { get; init; }

    /// <summary>Whose word is taken for a record being visible.</summary>
    public required DnsPropagationCheck PropagationCheck { get; init; }

    /// <summary>Whether a name server that does not answer fails the order.</summary>
    public required bool RequireEveryServer { get; init; }
}
