namespace KestrelAcme.Challenges.Dns01.Caa;

/// <summary>What CAA records say to an order.</summary>
internal enum CaaVerdictKind
{
    /// <summary>Nothing in them forbids it.</summary>
    Allowed,

    /// <summary>It depends on what the authority makes of a property that is not known here.</summary>
    Doubtful,

    /// <summary>They forbid it.</summary>
    Forbidden,
}
