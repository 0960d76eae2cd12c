using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>What became of a name that a client asked for.</summary>
internal enum OnDemandResult
{
    /// <summary>It gets no certificate: it is denied, or over a limit.</summary>
    Refused,

    /// <summary>It is allowed, but there is no certificate yet.</summary>
    Missing,

    /// <summary>It is served.</summary>
    Served,
}

/// <summary>Decides whose certificate serves a name. Pure.</summary>
internal static class OnDemandSubject
{
    /// <summary>With these, no name is refused because of its challenge.</summary>
    public static IReadOnlyCollection<string> AnyChallenge { get; } = ["http-01", "dns-01"];

    /// <returns>The name of the certificate, or why there is none.</returns>
    public static (CertificateIdentifier? Subject, string? Refusal) Of(string name, ConfigurationSnapshot snapshot)
    {
        // The permission may bring other challenge types; the rules of those apply when the certificate is specified.
        var result = DomainNameRules.Check(
            name, AnyChallenge, DomainNameRules.OnlyPublic(snapshot.Authorities), DomainNameRules.MayPreApprove(snapshot.Authorities));
        return result.IsSuccess
            ? (snapshot.OnDemand!.SubjectMapping.FirstOrDefault(wildcard => Covers(wildcard, name)) ?? result.Identifier, null)
            : (null, result.Reason);
    }

    /// <summary>Whether the certificate of a known name is the one that a decision about a name asks for.</summary>
    /// <remarks>
    /// The settings of a wildcard are those of its first client: the next one must not change them for all. Those of a group change only
    /// with the name that it was created for.
    /// </remarks>
    public static bool IsServedBy(OnDemandName known, string subject, OnDemandCertificate? wanted)
        => known.Record.Name == subject
            ? subject.StartsWith("*.", StringComparison.Ordinal) || known.Record.HasSameSettingsAs(known.Record.With(wanted))
            : wanted is not { DomainNames.Count: > 1 } || wanted.DomainNames.All(known.Names.Contains);

    private static bool Covers(CertificateIdentifier wildcard, string name)
        => name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name.AsSpan(dot + 1).SequenceEqual(wildcard.BaseValue);
}
