using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// All managed certificates by ID, in step with the configuration. Certificates are published to TLS only here, so that what is served and
/// what is reported change together.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed partial class CertificateCatalog(ITlsPublisher tls)
{
    // If the clock jumped, all certificates would seem expired at once. So they are withdrawn only if they were found expired on several
    // days.
    private const int RoundsBeforeWithdrawal = 3;

    // Held while the managed or the served certificates change: a certificate that is obtained while its names are removed must not be
    // published as a managed one.
    private readonly Lock _gate = new();

    private volatile ManagedCertificates _certificates = new([], onDemand: null);
    private (IReadOnlyList<CertificateSpecification> Specifications, ConfigurationSnapshot Configuration)? _applied;

    // Certificates that are served but no longer managed, with the number of times that they were found expired long ago.
    private readonly ConcurrentDictionary<string, RetiredCertificate> _retired = new(StringComparer.Ordinal);

    private volatile IReadOnlyList<CertificateSpecification> _configured = [];
    private volatile bool _acceptsStaging;
    private volatile bool _hasUnread;

    /// <summary>Whether a certificate has not been read from the store yet.</summary>
    public bool HasUnread
    {
        get => _hasUnread;
        set => _hasUnread = value;
    }

    /// <summary>
    /// Whether a certificate of the same names has not been read from the store yet, so that their common limits and orders are not known.
    /// </summary>
    public bool IsAnyUnread(ManagedCertificate certificate)
        => _hasUnread && FindSharing(certificate).Any(c => !c.IsLoaded && c.HasSameNamesAs(certificate));

    public IReadOnlyCollection<ManagedCertificate> All => _certificates;

    /// <summary>The specifications that were applied last: those of all managed certificates that are not on demand.</summary>
    public IReadOnlyList<CertificateSpecification> Applied => _configured;

    /// <summary>
    /// All served certificates: the managed ones, and the retired ones that replace a missing one or are served until the process ends.
    /// </summary>
    public IEnumerable<ManagedCertificate> Served => All.Concat(_retired.Values.Select(r => r.Certificate));

    public ManagedCertificate? Find(string id) => _certificates.Find(id);

    /// <summary>
    /// Finds all managed certificates that share a name with another one, where a wildcard counts as the name below it: those whose limits
    /// it shares. Looks at no others, because this is asked for each order.
    /// </summary>
    public IReadOnlyCollection<ManagedCertificate> FindSharing(ManagedCertificate certificate) => _certificates.FindSharing(certificate);

    public ManagedCertificate? FindByName(string name)
        => Find(name) ?? _certificates.FirstOrDefault(
            c => c.Specification.Identifiers.Any(i => string.Equals(i.Value, name, StringComparison.OrdinalIgnoreCase)));

    /// <summary>
    /// Finds the certificate with an ID that is not a name; otherwise all that have the same names as the one that <see cref="FindByName"/>
    /// finds, one for each key algorithm.
    /// </summary>
    public IReadOnlyList<ManagedCertificate> FindAllByName(string idOrName)
    {
        if (FindByName(idOrName) is not { } first)
        {
            return [];
        }

        var names = first.Specification.Identifiers;
        var isName = names.Any(i => string.Equals(i.Value, idOrName, StringComparison.OrdinalIgnoreCase));
        return !isName ? [first]
            : [first, .. FindSharing(first).Where(c => !ReferenceEquals(c, first) && c.HasSameNamesAs(first))];
    }

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
                    added.Add(certificate = TakeBack(specification));
                }

                EndWithholding(certificate);
                Update(certificate, specification, configuration);
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

            _certificates = before.WithWanted(wanted);
            removed.ForEach(Retire);
            removed.AddRange(ApplyToOnDemand(specifications, configuration));
            ServeAgain(added);
            tls.SetManagedNames([.. specifications.SelectMany(s => s.Identifiers).Select(i => i.Value)], SoleName(specifications));
            _applied = (specifications, configuration);
            _configured = specifications;
            return (added, [.. removed.Select(c => c.Id)]);
        }
    }

    /// <summary>Serves a new certificate, and makes it the current one.</summary>
    /// <exception cref="InvalidCertificateException">The certificate must not be served. The previous one still is.</exception>
    public void Serve(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        lock (_gate)
        {
            if (!certificate.IsWithheld)
            {
                tls.Publish(Material(certificate, snapshot));
            }

            certificate.Current = snapshot;
        }
    }

    /// <summary>Serves certificates that were read from the store, and makes each the current one.</summary>
    /// <returns>The IDs that were refused, each with the reason.</returns>
    public IReadOnlyDictionary<string, string> ServeStored(IReadOnlyCollection<FoundCertificate> read)
    {
        lock (_gate)
        {
            var refused = tls.PublishStored(
                [.. read.Where(r => !r.Certificate.IsWithheld).Select(r => Material(r.Certificate, r.Stored))]);
            foreach (var (certificate, stored) in read)
            {
                certificate.Current = refused.ContainsKey(certificate.Id) ? certificate.Current : stored;
            }

            return refused;
        }
    }

    /// <summary>Stops serving retired certificates that expired before a time, because they only take memory. Called once a day.</summary>
    public void WithdrawExpired(DateTimeOffset before)
    {
        lock (_gate)
        {
            foreach (var (id, (retired, rounds)) in _retired)
            {
                if (retired.Current?.NotAfter >= before)
                {
                    _retired[id] = new(retired, 0);
                }
                else if (rounds + 1 < RoundsBeforeWithdrawal)
                {
                    _retired[id] = new(retired, rounds + 1);
                }
                else if (_retired.TryRemove(id, out _))
                {
                    tls.Withdraw(id);
                }
            }
        }
    }

    /// <summary>
    /// Serves a stored certificate of earlier settings for configured names, and retires it, so that it is withdrawn some time after it has
    /// expired.
    /// </summary>
    /// <returns>
    /// <see langword="false"/> if it must not be served: it comes from a staging service that is not configured, it is managed by now, or
    /// it cannot be used.
    /// </returns>
    public bool TryServeRetired(string id, CertificateSnapshot stored, IReadOnlyList<string> names)
    {
        lock (_gate)
        {
            if (Find(id) is not null
                || (stored.IsFromStaging && !_acceptsStaging)
                || tls.PublishStored([stored.Material(id, names) with { IsRetired = true }]).Count > 0)
            {
                return false;
            }

            _retired[id] = new(new ManagedCertificate(SpecificationOf(id, stored.Record.Metadata)) { Current = stored }, 0);
            return true;
        }
    }

    /// <summary>Whether a certificate is served under an ID that is no longer managed, and is still valid.</summary>
    public bool IsServed(string id, DateTimeOffset now)
        => _retired.TryGetValue(id, out var retired) && retired.Certificate.Current?.NotAfter > now;

    /// <summary>Whether a certificate is retired: served without being managed.</summary>
    public bool IsRetired(ManagedCertificate certificate)
        => _retired.TryGetValue(certificate.Id, out var retired) && ReferenceEquals(retired.Certificate, certificate);

    /// <summary>Stops serving a retired certificate.</summary>
    public void Withdraw(ManagedCertificate certificate)
    {
        lock (_gate)
        {
            if (IsRetired(certificate) && _retired.TryRemove(certificate.Id, out _))
            {
                tls.Withdraw(certificate.Id);
            }
        }
    }

    // A retired certificate ranks below every managed one. Otherwise TLS might prefer it to its successor forever, because of its kind of
    // key.
    private CertificateMaterial Material(ManagedCertificate certificate, CertificateSnapshot snapshot)
        => snapshot.Material(certificate.Specification) with { IsRetired = Find(certificate.Id) is null };

    // One without a certificate is kept too: its order may be in progress, and the result must be known if the name comes back in the
    // meantime.
    private void Retire(ManagedCertificate certificate)
    {
        _retired[certificate.Id] = new(certificate, 0);
        tls.SetRetired(certificate.Id, isRetired: true);
        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
    }

    // The same object as before, so that what it serves is known, and a job in progress works on the managed certificate.
    private ManagedCertificate TakeBack(CertificateSpecification specification)
        => _retired.TryRemove(specification.Id, out var retired) ? retired.Certificate : new ManagedCertificate(specification);

    // Under all its names, because a retired certificate may have been served under some of them.
    private void ServeAgain(List<ManagedCertificate> added)
    {
        var back = added.FindAll(c => c.Current is not null);
        if (back.Count > 0)
        {
            tls.PublishStored([.. back.Select(c => Material(c, c.Current!))]);
        }
    }

    // From its own metadata: the earlier settings are gone, and this specification is not used for orders.
    private static CertificateSpecification SpecificationOf(string id, CertificateMetadata metadata) => new()
    {
        Id = id,
        Identifiers =
        [
            .. metadata.Names.Select(
                n => new CertificateIdentifier(IPAddress.TryParse(n, out _) ? IdentifierKind.Ip : IdentifierKind.Dns, n)),
        ],
        KeyAlgorithm = Enum.TryParse<KeyAlgorithm>(metadata.KeyAlgorithm, out var algorithm) ? algorithm : default,
        ChallengeTypes = [],
    };

    private sealed record RetiredCertificate(ManagedCertificate Certificate, int Rounds);
}

/// <summary>A certificate that was found in the store.</summary>
internal sealed record FoundCertificate(ManagedCertificate Certificate, CertificateSnapshot Stored);
