using KestrelAcme.LocalAuthority.Requests;
using Xunit;

namespace KestrelAcme.Tests.FaultMatrix;

/// <summary>A part of the faults. Each has an application and an authority of its own, so that the parts run beside each other.</summary>
public interface IFaultGroup
{
    /// <summary>
    /// Whether a timeout alone ends the faults of this group; those of all others are told by an answer, however long it takes.
    /// </summary>
    static virtual bool Hangs => false;

    /// <summary>Whether the authorization is polled to the end, since it tells what became of a challenge whose post failed.</summary>
    static virtual bool Polls => false;

    /// <summary>What the names of its faults begin with; the empty string for what no other group has.</summary>
    static virtual string Prefix => "";
}

internal static class FaultGroups
{
    private static readonly string[] Prefixes =
    [
        NewOrderFaults.Prefix, AuthorizationFaults.Prefix, ChallengeFaults.Prefix, FinalizeFaults.Prefix,
        CertificateFaults.Prefix,
    ];

    public static IReadOnlyList<FaultCase> Of<TGroup>()
        where TGroup : IFaultGroup
            => [.. FaultCases.All.Where(c => c.Hangs == TGroup.Hangs && (TGroup.Hangs || PrefixOf(c) == TGroup.Prefix))];

    private static string PrefixOf(FaultCase fault)
        => Prefixes.FirstOrDefault(p => fault.Name.StartsWith(p, StringComparison.Ordinal)) ?? "";
}

public sealed class NewOrderFaults : IFaultGroup
{
    public static string Prefix { get; } = $"{ResourceKind.NewOrder}: ";
}

public sealed class AuthorizationFaults : IFaultGroup
{
    public static string Prefix { get; } = $"{ResourceKind.Authorization}: ";
}

public sealed class ChallengeFaults : IFaultGroup
{
    public static bool Polls => true;

    public static string Prefix { get; } = $"{ResourceKind.Challenge}: ";
}

public sealed class FinalizeFaults : IFaultGroup
{
    public static string Prefix { get; } = $"{ResourceKind.Finalize}: ";
}

public sealed class CertificateFaults : IFaultGroup
{
    public static string Prefix { get; } = $"{ResourceKind.Certificate}: ";
}

public sealed class OtherFaults : IFaultGroup;

public sealed class HangingFaults : IFaultGroup
{
    public static bool Hangs => true;
}

public sealed class FaultGroupsTests
{
    [Fact]
    public void Of_AllGroups_EachFaultIsInOne()
    {
        IEnumerable<FaultCase> grouped =
        [
            .. FaultGroups.Of<NewOrderFaults>(), .. FaultGroups.Of<AuthorizationFaults>(), .. FaultGroups.Of<ChallengeFaults>(),
            .. FaultGroups.Of<FinalizeFaults>(), .. FaultGroups.Of<CertificateFaults>(), .. FaultGroups.Of<OtherFaults>(),
            .. FaultGroups.Of<HangingFaults>(),
        ];

        Assert.Equal(FaultCases.All.Select(c => c.Name).Order(), grouped.Select(c => c.Name).Order());
    }
}
