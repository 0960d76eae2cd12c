using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.Configuration;

/// <summary>What became of the options: a snapshot, or everything that is wrong with them.</summary>
/// <param name="Snapshot">The snapshot; <see langword="null"/> when there are problems.</param>
/// <param name="Problems">All problems.</param>
internal sealed record SnapshotResult(ConfigurationSnapshot? Snapshot, IReadOnlyList<ConfigurationProblem> Problems)
{
    /// <summary>Whether nothing is wrong.</summary>
    [MemberNotNullWhen(true, nameof(Snapshot))]
    public bool IsValid => Snapshot is not null;
}
