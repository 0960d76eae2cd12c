namespace KestrelAcme.Configuration.Snapshot;

/// <summary>A validated DNS provider.</summary>
internal sealed record DnsProviderSpecification
{
    /// <summary>The type and its settings.</summary>
    public required DnsProviderSettings Settings { get; init; }

    /// <summary>The zones that it is responsible for, as A-labels in lower case; empty for all.</summary>
    public required EquatableArray<string> Zones { get; init; }

    /// <summary>Whether KestrelAcme follows CNAME records of challenge names.</summary>
    public bool FollowCnames { get; init; } = true;

    /// <summary>How long a record may take to become visible.</summary>
    public required TimeSpan PropagationTimeout { get; init; }

    /// <summary>The minimum time between creating a record and submitting the challenge.</summary>
    public required TimeSpan MinimumWait { get; init; }

    /// <summary>Which servers are queried to find out whether a record is visible.</summary>
    public required DnsPropagationCheck PropagationCheck { get; init; }

    /// <summary>Whether the order fails if a name server does not respond.</summary>
    public required bool RequireEveryServer { get; init; }
}
