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
            _certificates = _certificates.WithOnDemand(specifications.Count);
            var added = new List<ManagedCertificate>();
            foreach (var specification in specifications)
            {
                if (Find(specification.Id) is not { } certificate)
                {
                    added.Add(certificate = TakeBack(specification));
                    certificate.IsWithheld |= certificate.Current is null;
                    certificate.Permission = permission;
                    Update(certificate, specification, configuration);
                    _certificates.AddOnDemand(certificate);
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
                _certificates.RemoveOnDemand(certificate);
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
        _certificates.RemoveOnDemand(certificate);
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
