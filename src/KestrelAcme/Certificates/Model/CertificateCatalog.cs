using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// All managed certificates by ID, in step with the configuration, and those on demand, which come and go by themselves: each is served
/// only once somebody has allowed that. What is served and what is reported change together.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateCatalog(ITlsPublisher tls)
{
    // Held while the managed or the served certificates change: a certificate that is obtained while its names are removed must not be
    // published as a managed one.
    private readonly Lock _gate = new();

    private readonly ServedCertificates _served = new(tls);
    private volatile ManagedCertificates _certificates = new([], onDemand: null);
    private volatile Application? _applied;
    private volatile bool _acceptsStaging;

    /// <summary>Whether a certificate has not been read from the store yet.</summary>
    public bool HasUnread { get => Volatile.Read(ref field); set => Volatile.Write(ref field, value); }

    public ManagedCertificates All => _certificates;

    /// <summary>The specifications that were applied last: those of all managed certificates that are not on demand.</summary>
    public IReadOnlyList<CertificateSpecification> Applied => _applied?.Specifications ?? [];

    /// <summary>
    /// All served certificates: the managed ones, and the retired ones that replace a missing one or are served until the process ends.
    /// </summary>
    public IEnumerable<ManagedCertificate> Served => All.Concat(_served.Retired);

    /// <summary>Whether a certificate is served under an ID that is no longer managed, and is still valid.</summary>
    public bool IsServed(string id, DateTimeOffset now) => _served.IsServed(id, now);

    /// <summary>Whether a certificate is retired: served without being managed.</summary>
    public bool IsRetired(ManagedCertificate certificate) => _served.IsRetired(certificate);

    public ManagedCertificate? Find(string id) => _certificates.Find(id);

    /// <summary>
    /// Applies the certificates that should exist. One that is no longer among them is not renewed any more, but served until the process
    /// ends, for names that no managed certificate covers.
    /// </summary>
    /// <returns>The certificates that were added, and the IDs of those that were removed.</returns>
    public (IReadOnlyList<ManagedCertificate> Added, IReadOnlyList<string> Removed) Apply(
        IReadOnlyList<CertificateSpecification> specifications, ConfigurationSnapshot configuration)
    {
        lock (_gate)
        {
            if (_applied is { } applied
                && ReferenceEquals(applied.Specifications, specifications)
                && ReferenceEquals(applied.Configuration, configuration))
            {
                return ([], []);
            }

            _acceptsStaging = configuration.Authorities.Any(a => WellKnownAuthorities.IsStaging(a.DirectoryUrl));
            var before = _certificates;
            var wanted = new Dictionary<string, ManagedCertificate>(specifications.Count, StringComparer.Ordinal);
            var added = new List<ManagedCertificate>();
            foreach (var specification in specifications)
            {
                if (!wanted.TryGetValue(specification.Id, out var certificate) && (certificate = before.Find(specification.Id)) is null)
                {
                    added.Add(certificate = _served.TakeBack(specification));
                }

                _served.Release(certificate, IsManaged(certificate));
                certificate.Configure(specification, configuration, _acceptsStaging);
                wanted[specification.Id] = certificate;
            }

            var removed = new List<ManagedCertificate>();
            foreach (var (id, certificate) in before.Wanted)
            {
                if (!wanted.ContainsKey(id))
                {
                    removed.Add(certificate);
                }
            }

            // First, so that a name that is managed, or was, is never taken for one on demand.
            _applied = new(specifications, configuration);
            _certificates = before.WithWanted(wanted);
            removed.ForEach(_served.Retire);
            removed.AddRange(ApplyToOnDemand(specifications, configuration));
            _served.ServeAgain(added);
            _served.SetManagedNames(specifications);
            return (added, [.. removed.Select(c => c.Id)]);
        }
    }

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
                    added.Add(certificate = _served.TakeBack(specification));
                    certificate.IsWithheld |= certificate.Current is null;
                    certificate.Permission = permission;
                    certificate.Configure(specification, configuration, _acceptsStaging);
                    _certificates.AddOnDemand(certificate);
                    _served.SetOnDemand(specification, isManaged: true);
                }
                else if (certificate.Specification.IsOnDemand)
                {
                    certificate.Configure(specification, configuration, _acceptsStaging);
                }
            }

            // What served only names that were configured meanwhile waits for its permission, like all others.
            added.FindAll(c => c is { IsWithheld: true, Current: not null }).ForEach(c => _served.Withdraw(c.Id));
            _served.ServeAgain(added.FindAll(c => !c.IsWithheld));
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
                _served.Release(certificate, isManaged: true);
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
                _served.Withhold(certificate);
            }
        }
    }

    /// <summary>Serves a new certificate, and makes it the current one.</summary>
    /// <exception cref="InvalidCertificateException">The certificate must not be served. The previous one still is.</exception>
    public void Serve(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        lock (_gate)
        {
            _served.Publish(certificate, snapshot, IsManaged(certificate));
            certificate.Current = snapshot;
        }
    }

    /// <summary>Serves certificates that were read from the store, and makes each the current one.</summary>
    /// <returns>The IDs that were refused, each with the reason.</returns>
    public IReadOnlyDictionary<string, string> ServeStored(IReadOnlyCollection<FoundCertificate> read)
    {
        lock (_gate)
        {
            var refused = _served.PublishStored(read, IsManaged);
            foreach (var (certificate, stored) in read)
            {
                certificate.Current = refused.ContainsKey(certificate.Id) ? certificate.Current : stored;
            }

            return refused;
        }
    }

    /// <summary>
    /// Serves a stored certificate of earlier settings for configured names, and retires it, so that it is withdrawn some time after it has
    /// expired.
    /// </summary>
    /// <returns>
    /// <see langword="false"/> if it comes from a staging service that is not configured, is managed by now, or cannot be used.
    /// </returns>
    public bool TryServeRetired(string id, CertificateSnapshot stored, IReadOnlyList<string> names)
    {
        lock (_gate)
        {
            return Find(id) is null && (!stored.IsFromStaging || _acceptsStaging) && _served.TryRetireStored(id, stored, names);
        }
    }

    /// <summary>Stops serving a retired certificate.</summary>
    public void Withdraw(ManagedCertificate certificate)
    {
        lock (_gate)
        {
            _served.WithdrawRetired(certificate);
        }
    }

    /// <summary>Stops serving retired certificates that expired before a time, because they only take memory. Called once a day.</summary>
    public void WithdrawExpired(DateTimeOffset before)
    {
        lock (_gate)
        {
            _served.WithdrawExpired(before);
        }
    }

    private bool IsManaged(ManagedCertificate certificate) => Find(certificate.Id) is not null;

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

        var names = wanted.SelectMany(s => s.Identifiers).Select(i => i.Value).ToHashSet(StringComparer.Ordinal);
        foreach (var (id, certificate) in onDemand)
        {
            if (_certificates.Wanted.ContainsKey(id))
            {
                // The same certificate, which is wanted for another reason now.
                _certificates.RemoveOnDemand(certificate);
                _served.SetOnDemand(certificate.Specification, isManaged: false);
            }
            else if (certificate.Specification.Identifiers.Any(i => names.Contains(i.Value)))
            {
                RemoveOnDemand(certificate);
                _served.RetireOnDemand(certificate, names);
                removed.Add(certificate);
            }
            else
            {
                certificate.Configure(certificate.Specification, configuration, _acceptsStaging);
            }
        }

        return removed;
    }

    // An order under way must not serve it, so it is withheld.
    private void RemoveOnDemand(ManagedCertificate certificate)
    {
        _certificates.RemoveOnDemand(certificate);
        _served.Withhold(certificate);
        _served.SetOnDemand(certificate.Specification, isManaged: false);
        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
    }

    private sealed record Application(IReadOnlyList<CertificateSpecification> Specifications, ConfigurationSnapshot Configuration);
}
