using KestrelAcme.Challenges;

namespace KestrelAcme.Simulation.Tests;

/// <summary>What hangs, once it is set, and how often something fell into it.</summary>
internal sealed class Trap
{
    private int _fallen;

    public bool IsSet { get; set; }

    /// <summary>How long the preparation of a hostile name's challenge takes, until it fails.</summary>
    public TimeSpan? ChallengeHangs { get; init; }

    public ChallengeFault Fault { get; init; }

    /// <summary>Whether the hostile names' certificates have expired when the others are due.</summary>
    public bool Lapsed { get; init; } = true;

    /// <summary>Whether the store never answers a question about a hostile name.</summary>
    public bool StoreHangs { get; init; }

    /// <summary>What the first of two authorities no longer answers; <see langword="null"/> for one authority alone.</summary>
    public Unanswered? AuthorityHangs { get; init; }

    public int Fallen => _fallen;

    public static bool IsHostile(string text) => text.Contains("hostile", StringComparison.Ordinal);

    public void Fall() => Interlocked.Increment(ref _fallen);
}

/// <summary>The requests that an authority takes and never answers.</summary>
internal enum Unanswered
{
    Nothing,
    NewOrders,
    Everything,
}
