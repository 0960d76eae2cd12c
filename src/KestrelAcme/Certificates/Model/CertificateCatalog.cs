using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// All managed certificates by id, kept in step with the configuration, and the one door to what is served: what is published and what is
/// reported change together.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class CertificateCatalog(ITlsPublisher tls)
{
    // A clock that jumped would have all of them expire at once: they are withdrawn when they were found so on several days.
    private const int RoundsBeforeWithdrawal = 3;

    // Held while what is managed, or what is served, changes: a certificate that is obtained while it ceases to be wanted must not be
    // published as one that is.
    private readonly Lock _gate = new();

    // Replaced as a whole and never changed: who goes through ten thousand needs no copy of them.
    private volatile Dictionary<string, ManagedCertificate> _certificates = new(StringComparer.Ordinal);
    private (IReadOnlyList<CertificateSpecification> Specifications, ConfigurationSnapshot Configuration)? _applied;

    // What is no longer managed, but still served, and how often it was found to have ended long ago.
    private readonly ConcurrentDictionary<string, (ManagedCertificate Certificate, int Rounds)> _retired = new(StringComparer.Ordinal);

    private volatile bool _acceptsStaging;
    private volatile bool _hasUnread;

    /// <summary>Whether a certificate has not been read from the store yet.</summary>
    public bool HasUnread
    {
        get => _hasUnread;
        set => _hasUnread = value;
    }

    /// <summary>Whether a certificate of the same names has not been read from the store yet: what it has in common with the others is not known.</summary>
    public bool IsAnyUnread(ManagedCertificate certificate) => _hasUnread && All.Any(c => !c.IsLoaded && c.HasSameNamesAs(certificate));

    public ICollection<ManagedCertificate> All => _certificates.Values;

    /// <summary>All that is served: what is managed, and what stands in for something that is, or stays until the process ends.</summary>
    public IEnumerable<ManagedCertificate> Served => All.Concat(_retired.Values.Select(r => r.Certificate));

    public ManagedCertificate? Find(string id) => _certificates.GetValueOrDefault(id);

    public ManagedCertificate? FindByName(string name)
        => Find(name) ?? _certificates.Values.FirstOrDefault(c => c.Specification.Identifiers.Any(i => string.Equals(i.Value, name, StringComparison.OrdinalIgnoreCase)));

    /// <summary>The certificate that has an id which is no name; else all that have the names of the one that <see cref="FindByName"/> finds, one for each key algorithm.</summary>
    public IReadOnlyList<ManagedCertificate> FindAllByName(string idOrName)
    {
        if (FindByName(idOrName) is not { } first)
        {
            return [];
        }

        var names = first.Specification.Identifiers;
        var isName = names.Any(i => string.Equals(i.Value, idOrName, StringComparison.OrdinalIgnoreCase));
        return !isName ? [first]
            : [first, .. All.Where(c => !ReferenceEquals(c, first) && c.HasSameNamesAs(first))];
    }

    /// <summary>
    /// Takes over the wanted certificates. One that is no longer wanted is no longer renewed, but stays served until the process ends:
    /// where no certificate that is wanted now covers a name.
    /// </summary>
    /// <returns>The certificates that are new here, and those that went.</returns>
    public (IReadOnlyList<ManagedCertificate> Added, IReadOnlyList<string> Removed) Apply(IReadOnlyList<CertificateSpecification> specifications, ConfigurationSnapshot configuration)
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
                if (!wanted.TryGetValue(specification.Id, out var certificate) && !before.TryGetValue(specification.Id, out certificate))
                {
                    added.Add(certificate = TakeBack(specification));
                }

                // The one that is there stays where nothing changed: what is kept for years should not be changed for its double at every
                // look.
                certificate.Specification = certificate.Specification == specification ? certificate.Specification : specification;
                certificate.AcceptsStaging = _acceptsStaging;
                certificate.Authorities = configuration.Authorities;
                wanted[specification.Id] = certificate;
            }

            _certificates = wanted;
            var removed = before.Where(c => !wanted.ContainsKey(c.Key)).Select(c => c.Value).ToList();
            removed.ForEach(Retire);
            ServeAgain(added);
            tls.SetManagedNames(
                [.. wanted.Values.SelectMany(c => c.Specification.Identifiers).Select(i => i.Value)], SoleName(specifications));
            _applied = (specifications, configuration);
            return (added, [.. removed.Select(c => c.Id)]);
        }
    }

    /// <summary>Serves a new certificate, and makes it the current one.</summary>
    /// <exception cref="InvalidCertificateException">It must not be served; what was served before still is.</exception>
    public void Serve(ManagedCertificate certificate, CertificateSnapshot snapshot)
    {
        lock (_gate)
        {
            tls.Publish(Material(certificate, snapshot));
            certificate.Current = snapshot;
        }
    }

    /// <summary>Serves certificates that were read from the store, and makes each the current one.</summary>
    /// <returns>The ids that were refused, each with the reason.</returns>
    public IReadOnlyDictionary<string, string> ServeStored(
        IReadOnlyCollection<(ManagedCertificate Certificate, CertificateSnapshot Stored)> read)
    {
        lock (_gate)
        {
            var refused = tls.PublishStored([.. read.Select(r => Material(r.Certificate, r.Stored))]);
            foreach (var (certificate, stored) in read)
            {
                certificate.Current = refused.ContainsKey(certificate.Id) ? certificate.Current : stored;
            }

            return refused;
        }
    }

    /// <summary>Answers everybody who waits for a renewal: none comes any more.</summary>
    public void AnswerAll(string reason)
    {
        foreach (var certificate in All)
        {
            if (certificate.Request is not null)
            {
                certificate.Answer(new InvalidOperationException(reason));
            }
        }
    }

    /// <summary>Stops serving what is no longer managed and ended before a time: nobody asks for it any more, and it takes memory. Called once a day.</summary>
    public void WithdrawExpired(DateTimeOffset before)
    {
        lock (_gate)
        {
            foreach (var (id, (retired, rounds)) in _retired)
            {
                if (retired.Current?.NotAfter >= before)
                {
                    _retired[id] = (retired, 0);
                }
                else if (rounds + 1 < RoundsBeforeWithdrawal)
                {
                    _retired[id] = (retired, rounds + 1);
                }
                else if (_retired.TryRemove(id, out _))
                {
                    tls.Withdraw(id);
                }
            }
        }
    }

    /// <summary>
    /// Serves what the store has of earlier settings, for the names that are wanted, and takes it over, so that it ends some time after it
    /// has expired.
    /// </summary>
    /// <returns>
    /// <see langword="false"/> when it must not be served: only a staging service that is not configured trusts it, it is managed by now,
    /// or it is of no use.
    /// </returns>
    public bool TryServeRetired(string id, CertificateSnapshot stored, IReadOnlyList<string> names)
    {
        lock (_gate)
        {
            if (_certificates.ContainsKey(id)
                || (stored.IsFromStaging && !_acceptsStaging)
                || tls.PublishStored([stored.Material(id, names) with { IsRetired = true }]).Count > 0)
            {
                return false;
            }

            _retired[id] = (new ManagedCertificate(SpecificationOf(id, stored.Record.Metadata)) { Current = stored }, 0);
            return true;
        }
    }

    /// <summary>Whether something is served under an id that is no longer managed, and still valid.</summary>
    public bool IsServed(string id, DateTimeOffset now)
        => _retired.TryGetValue(id, out var retired) && retired.Certificate.Current?.NotAfter > now;

    /// <summary>Whether a certificate is served without being managed.</summary>
    public bool IsRetired(ManagedCertificate certificate) => _retired.TryGetValue(certificate.Id, out var retired) && ReferenceEquals(retired.Certificate, certificate);

    /// <summary>Stops serving a certificate that is no longer managed.</summary>
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

    // What is not wanted any more gives way to everything that is: by the kind of its key alone it might be preferred to its successor for
    // ever.
    private CertificateMaterial Material(ManagedCertificate certificate, CertificateSnapshot snapshot)
        => snapshot.Material(certificate.Specification) with { IsRetired = !_certificates.ContainsKey(certificate.Id) };

    // One without a certificate is kept too: its order may be under way, and what it brings must be known if the name comes back meanwhile.
    private void Retire(ManagedCertificate certificate)
    {
        _retired[certificate.Id] = (certificate, 0);
        tls.SetRetired(certificate.Id, isRetired: true);
        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
    }

    // The same object as before: what it serves is known, and whoever works on it works on what is managed.
    private ManagedCertificate TakeBack(CertificateSpecification specification)
        => _retired.TryRemove(specification.Id, out var retired) ? retired.Certificate : new ManagedCertificate(specification);

    // Under all its names: what stood in for others may have been served under some of them.
    private void ServeAgain(List<ManagedCertificate> added)
    {
        var back = added.FindAll(c => c.Current is not null);
        if (back.Count > 0)
        {
            tls.PublishStored([.. back.Select(c => Material(c, c.Current!))]);
        }
    }

    // Several kinds of key for one set of names are one certificate to a client that names none.
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

    // What its own record tells of it: the settings of the time are gone, and nothing is ordered by these.
    private static CertificateSpecification SpecificationOf(string id, CertificateMetadata metadata) => new()
    {
        Id = id,
        Identifiers = [.. metadata.Names.Select(n => new CertificateIdentifier(IPAddress.TryParse(n, out _) ? IdentifierKind.Ip : IdentifierKind.Dns, n))],
        KeyAlgorithm = Enum.TryParse<KeyAlgorithm>(metadata.KeyAlgorithm, out var algorithm) ? algorithm : default,
        ChallengeTypes = [],
    };
}
