using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Model;

/// <summary>Certificates on demand: they come and go by themselves, and each is served only once somebody has allowed that.</summary>
internal sealed partial class CertificateCatalog
{
    // Names on demand do not count: which of them exist is up to strangers.
    private string? _sole;

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
            var all = new Dictionary<string, ManagedCertificate>(_certificates, StringComparer.Ordinal);
            var added = new List<ManagedCertificate>();
            foreach (var specification in specifications)
            {
                if (!all.TryGetValue(specification.Id, out var certificate))
                {
                    added.Add(certificate = all[specification.Id] = TakeBack(specification));
                    certificate.IsWithheld = certificate.Current is null;
                    certificate.Permission = permission;
                    Update(certificate, specification, configuration);
                }
                else if (certificate.Specification.IsOnDemand)
                {
                    Update(certificate, specification, configuration);
                }
            }

            if (added.Count > 0)
            {
                _certificates = all;
                ServeAgain(added);
                SetManagedNames();
            }

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
            var all = new Dictionary<string, ManagedCertificate>(_certificates, StringComparer.Ordinal);
            foreach (var id in ids)
            {
                if (all.TryGetValue(id, out var certificate) && certificate.Specification.IsOnDemand && all.Remove(id))
                {
                    removed.Add(id);
                    tls.Withdraw(id);
                    certificate.IsWithheld = true;
                    certificate.Answer(new InvalidOperationException($"{id} is no longer managed."));
                }
            }

            if (removed.Count > 0)
            {
                _certificates = all;
                SetManagedNames();
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

    private void SetManagedNames()
        => tls.SetManagedNames([.. _certificates.Values.SelectMany(c => c.Specification.Identifiers).Select(i => i.Value)], _sole);

    // For a client without a server name, several kinds of key for one set of names are one certificate.
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
