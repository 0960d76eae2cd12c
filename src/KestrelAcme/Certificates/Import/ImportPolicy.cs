using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Import;

/// <summary>Chooses what is imported for a certificate. Pure.</summary>
internal static class ImportPolicy
{
    public static readonly ImportRefusal Revoked = new("it is revoked", "Nothing needs to be done: another certificate is ordered");

    /// <summary>Returns the newest certificate that may be served for all names of a configured one and has its type of key.</summary>
    /// <returns><see langword="null"/> if there is none, or if the current one is at least as good.</returns>
    public static ImportedCertificate? Choose(ManagedCertificate wanted, IEnumerable<ImportedCertificate> imported, DateTimeOffset now)
        => imported.Where(i => Refuse(wanted, i.Snapshot, now) is null && Replaces(wanted, i.Snapshot, now))
            .OrderByDescending(i => i.Snapshot.NotBefore)
            .ThenBy(i => i.Snapshot.Record.Metadata.Names.Length)
            .FirstOrDefault();

    /// <summary>
    /// Whether an imported certificate takes the place of the current one: if it was issued later, if the current one cannot be used, or if
    /// it is the same, which lacks its intermediates.
    /// </summary>
    public static bool Replaces(ManagedCertificate wanted, CertificateSnapshot imported, DateTimeOffset now)
        => wanted.Current is not { } current
            || (imported.IsSameAs(current)
                ? current.Record.Chain.Count == 1
                : !IsUsable(wanted, current, now) || imported.NotBefore > current.NotBefore);

    /// <summary>Whether the current certificate of a configured one can be used.</summary>
    public static bool HasUsable(ManagedCertificate wanted, DateTimeOffset now)
        => wanted.Current is { } current && IsUsable(wanted, current, now);

    /// <summary>Returns why a certificate is not imported; <see langword="null"/> if it may be.</summary>
    public static ImportRefusal? Refuse(ManagedCertificate wanted, CertificateSnapshot imported, DateTimeOffset now)
        => imported.FindFault(wanted.Specification, now) switch
        {
            StoredFault.SelfSigned => new("it is self-signed", "Nothing needs to be done: a certificate is ordered"),
            StoredFault.OtherNames => new(
                $"it is not for {string.Join(", ", Missing(wanted, imported).Take(3))}",
                "Nothing needs to be done: a certificate for all names is ordered. To avoid that, configure the names as they are in it"),
            StoredFault.Expired => new(
                $"it expired on {imported.NotAfter:u}", "Nothing needs to be done: a certificate is ordered"),
            StoredFault.NotYetValid => new(
                $"it is not valid before {imported.NotBefore:u}", "Check the clock of this machine"),
            _ when imported.IsFromStaging && !wanted.AcceptsStaging => new(
                "it comes from a staging environment, whose certificates no client trusts",
                "Nothing needs to be done: a certificate is ordered"),
            _ when wanted.State.Revocation?.SerialNumber == imported.SerialNumber => Revoked,
            _ when KeyOf(imported) is var key && key != wanted.Specification.KeyAlgorithm.ToString() => new(
                $"it has a key of type {key}, and {wanted.Specification.KeyAlgorithm} is configured",
                "It is served until a certificate with the configured type of key is obtained. To keep it until it is due, set "
                    + $"KeyAlgorithm to {key}"),
            _ => null,
        };

    /// <summary>Returns why the newest certificate that was found for one of the names of a missing one is not imported.</summary>
    /// <returns><see langword="null"/> if none was found, or if it is imported.</returns>
    public static ImportProblem? Explain(
        ManagedCertificate missing, IEnumerable<ImportedCertificate> found, DateTimeOffset now, IReadOnlySet<string>? revoked = null)
    {
        var names = missing.Specification.Identifiers.Select(i => i.Value).ToHashSet(StringComparer.Ordinal);
        return found.Where(f => f.Snapshot.Record.Metadata.Names.Any(names.Contains)).MaxBy(f => f.Snapshot.NotBefore) is { } newest
            && (revoked?.Contains(newest.Snapshot.SerialNumber) == true ? Revoked : Refuse(missing, newest.Snapshot, now)) is { } refusal
            ? new ImportProblem(newest.Path, $"for {missing.Id}, {refusal.Reason}", refusal.Fix)
            : null;
    }

    /// <summary>Returns the names of certificates, and the wildcards that cover them.</summary>
    public static IReadOnlySet<string> Covering(IEnumerable<ManagedCertificate> all)
    {
        var names = all.SelectMany(c => c.Specification.Identifiers).Select(i => i.Value).ToHashSet(StringComparer.Ordinal);
        names.UnionWith([.. names.Select(WildcardOf).OfType<string>()]);
        return names;
    }

    /// <summary>
    /// Returns the names that an imported certificate is served for until there is a configured one: those without a usable certificate.
    /// </summary>
    public static string[] NamesToServe(CertificateSnapshot imported, IReadOnlySet<string> bare)
        => [.. bare.Where(name => imported.Record.Metadata.Names.Any(n => n == name || n == WildcardOf(name)))];

    /// <summary>Returns the wildcard that covers a name; <see langword="null"/> if there is none.</summary>
    public static string? WildcardOf(string name)
        => name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name[0] != '*' ? $"*{name[dot..]}" : null;

    private static string KeyOf(CertificateSnapshot imported) => imported.Record.Metadata.KeyAlgorithm;

    private static bool IsUsable(ManagedCertificate wanted, CertificateSnapshot current, DateTimeOffset now)
        => current.FindFault(wanted.Specification, now) == StoredFault.None && (wanted.AcceptsStaging || !current.IsFromStaging);

    private static IEnumerable<string> Missing(ManagedCertificate wanted, CertificateSnapshot imported)
        => wanted.Specification.Identifiers.Select(i => i.Value).Except(imported.Record.Metadata.Names);
}

/// <summary>Why a certificate is not imported, and what to do. Clauses without a period.</summary>
internal sealed record ImportRefusal(string Reason, string Fix);
