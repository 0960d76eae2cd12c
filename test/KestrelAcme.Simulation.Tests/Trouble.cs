namespace KestrelAcme.Simulation.Tests;

/// <summary>What is wrong for a while.</summary>
internal enum Trouble
{
    None,

    /// <summary>Nobody can connect to the authority.</summary>
    Unreachable,

    /// <summary>It answers 503.</summary>
    Unavailable,

    /// <summary>It rejects most nonces, for longer than a client repeats a request.</summary>
    NonceStorm,

    /// <summary>It answers new orders with 429 and names the end in Retry-After.</summary>
    RateLimited,
}
