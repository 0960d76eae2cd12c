using System.Collections;
using System.Collections.Concurrent;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Model;

/// <summary>Certificates on demand: they come and go by themselves, and each is served only once somebody has allowed that.</summary>
internal sealed partial class CertificateCatalog
{
    /// <summary>
    /// Adds certificates on demand, which are not served before <see cref="Release"/>. Those that are managed for another reason stay as
    /// they are.
    /// </summary>
    /// <param name="specifications">The certificates.</param>
    /// <param name="permission">Asked before each order.</param>
    /// <param name="configuration">The configuration.</param>
    /// <returns>The certificates that were added.</returns>
    public IReadOnlyList<ManagedCertificate> AddOnDemand(
        IReadOnlyCollection<CertificateSpecification> specifications,
        Func<ManagedCertificate, CancellationToken, Task<DateTimeOffset?>> permission,
        ConfigurationSnapshot configuration)
    {
        if (specifications.Count == 0)
        {
            return [];
        }

        lock (_gate)
        {
            var onDemand = _certificates.OnDemand;
            if (onDemand is null)
            {
                // Only one writer at a time.
                onDemand = new(concurrencyLevel: 1, specifications.Count, StringComparer.Ordinal);
                _certificates = new ManagedCertificates(_certificates.Wanted, onDemand);
            }

            var added = new List<ManagedCertificate>();
            foreach (var specification in specifications)
            {
                if (Find(specification.Id) is not { } certificate)
                {
                    added.Add(certificate = TakeBack(specification));
                    certificate.IsWithheld |= certificate.Current is null;
                    certificate.Permission = permission;
                    Update(certificate, specification, configuration);
                    onDemand[specification.Id] = certificate;
                    tls.SetOnDemand(specification.Id, NamesOf(specification), isManaged: true);
                }
                else if (certificate.Specification.IsOnDemand)
                {
                    Update(certificate, specification, configuration);
                }
            }

            // What served only names that were configured meanwhile waits for its permission, like all others.
            added.FindAll(c => c is { IsWithheld: true, Current: not null }).ForEach(c => tls.Withdraw(c.Id));
            ServeAgain(added.FindAll(c => !c.IsWithheld));
            return added;
        }
    }

    /// <summary>
    /// Removes certificates on demand. They are no longer served. Those that are managed for another reason by now stay as they are.
    /// </summary>
    /// <returns>The IDs of those that were removed.</returns>
    public IReadOnlyList<string> RemoveOnDemand(IReadOnlyCollection<string> ids)
    {
        lock (_gate)
        {
            var removed = new List<string>();
            foreach (var id in ids)
            {
                if (Find(id) is { Specification.IsOnDemand: true } certificate)
                {
                    removed.Add(id);
                    RemoveOnDemand(certificate);
                }
            }

            return removed;
        }
    }

    /// <summary>Serves a certificate from now on, if there is one, and it is still managed.</summary>
    public void Release(ManagedCertificate certificate)
    {
        lock (_gate)
        {
            if (ReferenceEquals(Find(certificate.Id), certificate))
            {
                EndWithholding(certificate);
            }
        }
    }

    /// <summary>Stops serving a certificate on demand until it is released.</summary>
    public void Withhold(ManagedCertificate certificate)
    {
        lock (_gate)
        {
            if (certificate is { IsWithheld: false, Specification.IsOnDemand: true })
            {
                certificate.IsWithheld = true;
                tls.Withdraw(certificate.Id);
            }
        }
    }

    private void EndWithholding(ManagedCertificate certificate)
    {
        if (certificate.IsWithheld)
        {
            certificate.IsWithheld = false;
            if (certificate.Current is { } current)
            {
                tls.PublishStored([Material(certificate, current)]);
            }
        }
    }

    // An equal specification is kept: long-lived objects should not be replaced with every pass.
    private void Update(ManagedCertificate certificate, CertificateSpecification specification, ConfigurationSnapshot configuration)
    {
        certificate.Specification = certificate.Specification == specification ? certificate.Specification : specification;
        certificate.AcceptsStaging = _acceptsStaging;
        certificate.Authorities = configuration.Authorities;
    }

    /// <summary>
    /// Brings the certificates on demand in step with those that are wanted for another reason. They stay, except those with a name that is
    /// wanted now: nobody who decides about names on demand decides about that one.
    /// </summary>
    /// <returns>Those that were removed.</returns>
    private List<ManagedCertificate> ApplyToOnDemand(
        IReadOnlyList<CertificateSpecification> wanted, ConfigurationSnapshot configuration)
    {
        var removed = new List<ManagedCertificate>();
        if (_certificates.OnDemand is not { IsEmpty: false } onDemand)
        {
            return removed;
        }

        var names = wanted.SelectMany(NamesOf).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, certificate) in onDemand)
        {
            if (_certificates.Wanted.ContainsKey(id))
            {
                // The same certificate, which is wanted for another reason now.
                onDemand.TryRemove(id, out _);
                tls.SetOnDemand(id, NamesOf(certificate.Specification), isManaged: false);
            }
            else if (NamesOf(certificate.Specification).Any(names.Contains))
            {
                RemoveOnDemand(certificate);
                ServeUntilReplaced(certificate, names);
                removed.Add(certificate);
            }
            else
            {
                Update(certificate, certificate.Specification, configuration);
            }
        }

        return removed;
    }

    // An order under way must not serve it, so it is withheld.
    private void RemoveOnDemand(ManagedCertificate certificate)
    {
        _certificates.OnDemand!.TryRemove(certificate.Id, out _);
        certificate.IsWithheld = true;
        tls.Withdraw(certificate.Id);
        tls.SetOnDemand(certificate.Id, NamesOf(certificate.Specification), isManaged: false);
        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
    }

    // Only for the names that are wanted now, and only until their own certificate is there. The permission has to be asked about the rest.
    private void ServeUntilReplaced(ManagedCertificate certificate, HashSet<string> wanted)
    {
        if (certificate.Current is { } current)
        {
            List<string> names = [.. current.Record.Metadata.Names.Where(wanted.Contains)];
            _retired[certificate.Id] = new(certificate, 0);
            tls.PublishStored([current.Material(certificate.Id, names) with { IsRetired = true }]);
        }
    }

    private static IEnumerable<string> NamesOf(CertificateSpecification specification) => specification.Identifiers.Select(i => i.Value);

    // For a client without a server name, several kinds of key for one set of names are one certificate. Names on demand do not count:
    // which of them exist is up to strangers.
    private static string? SoleName(IReadOnlyList<CertificateSpecification> specifications)
    {
        if (specifications.Count == 0)
        {
            return null;
        }

        var first = specifications[0].Identifiers;
        for (var i = 1; i < specifications.Count; i++)
        {
            var others = specifications[i].Identifiers;
            if (others.Count != first.Count || others.Any(o => !first.Contains(o)))
            {
                return null;
            }
        }

        return first.FirstOrDefault(i => i.Kind == IdentifierKind.Dns)?.Value;
    }
}

/// <summary>
/// All managed certificates by ID. Those that are wanted for good are replaced as a whole, so that nobody needs a copy to enumerate ten
/// thousand of them. Those on demand come and go one at a time, so that nobody has to copy the others.
/// </summary>
/// <param name="wanted">Those of the configuration, of domain sources, and those that were added at run time.</param>
/// <param name="onDemand">Those on demand; <see langword="null"/> if there never were any.</param>
internal sealed class ManagedCertificates(
    Dictionary<string, ManagedCertificate> wanted, ConcurrentDictionary<string, ManagedCertificate>? onDemand)
    : IReadOnlyCollection<ManagedCertificate>
{
    public Dictionary<string, ManagedCertificate> Wanted => wanted;

    public ConcurrentDictionary<string, ManagedCertificate>? OnDemand => onDemand;

    public int Count => wanted.Count + (onDemand?.Count ?? 0);

    public ManagedCertificate? Find(string id)
        => wanted.TryGetValue(id, out var found) || onDemand?.TryGetValue(id, out found) == true ? found : null;

    public IEnumerator<ManagedCertificate> GetEnumerator() => onDemand is null ? wanted.Values.GetEnumerator() : EnumerateAll();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // One may be among both for a moment.
    private IEnumerator<ManagedCertificate> EnumerateAll()
    {
        foreach (var certificate in wanted.Values)
        {
            yield return certificate;
        }

        foreach (var (id, certificate) in onDemand!)
        {
            if (!wanted.ContainsKey(id))
            {
                yield return certificate;
            }
        }
    }
}
