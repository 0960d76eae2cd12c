using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates;

/// <summary>All managed certificates by id, kept in step with the configuration.</summary>
/// <remarks>Safe for concurrent reading; applied to by one caller at a time.</remarks>
internal sealed class CertificateCatalog(ITlsPublisher tls)
{
    // A clock that jumped would have all of them expire at once: they are withdrawn when they were found so on several days.
    private const int RoundsBeforeWithdrawal = 3;

    // Replaced as a whole and never changed: who goes through ten thousand needs no copy of them.
    private volatile Dictionary<string, ManagedCertificate> _certificates = new(StringComparer.Ordinal);
    private (IReadOnlyList<CertificateSpecification> Specifications, ConfigurationSnapshot Configuration)? _applied;

    // What is no longer managed, but still served, and how often it was found to have ended long ago.
    private readonly ConcurrentDictionary<string, (ManagedCertificate Certificate, int Rounds)> _retired = new(StringComparer.Ordinal);

    private volatile bool _acceptsStaging;

    public ICollection<ManagedCertificate> All => _certificates.Values;

    /// <summary>All that is served: what is managed, and what stands in for something that is, or stays until the process ends.</summary>
    public IEnumerable<ManagedCertificate> Served => All.Concat(_retired.Values.Select(r => r.Certificate));

    public ManagedCertificate? Find(string id) => _certificates.GetValueOrDefault(id);

    public ManagedCertificate? FindByName(string name)
        => Find(name) ?? _certificates.Values.FirstOrDefault(c => c.Specification.Identifiers.Any(i => string.Equals(i.Value, name, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Takes over the wanted certificates. One that is no longer wanted is no longer renewed, but what is served stays until the process ends.</summary>
    /// <returns>The certificates that are new here, and those that went.</returns>
    public (IReadOnlyList<ManagedCertificate> Added, IReadOnlyList<string> Removed) Apply(IReadOnlyList<CertificateSpecification> specifications, ConfigurationSnapshot configuration)
    {
        if (_applied is { } applied && ReferenceEquals(applied.Specifications, specifications) && ReferenceEquals(applied.Configuration, configuration))
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
                added.Add(certificate = new ManagedCertificate(specification));
            }

            // The one that is there stays where nothing changed: what is kept for years should not be changed for its double at every look.
            certificate.Specification = certificate.Specification == specification ? certificate.Specification : specification;
            certificate.AcceptsStaging = _acceptsStaging;
            certificate.Authorities = configuration.Authorities;
            wanted[specification.Id] = certificate;
        }

        _certificates = wanted;
        added.ForEach(c => _retired.TryRemove(c.Id, out _));
        var removed = before.Where(c => !wanted.ContainsKey(c.Key)).Select(c => c.Value).ToList();
        removed.ForEach(Retire);
        tls.SetManagedNames([.. wanted.Values.SelectMany(c => c.Specification.Identifiers).Select(i => i.Value)]);
        _applied = (specifications, configuration);
        return (added, [.. removed.Select(c => c.Id)]);
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
        foreach (var (id, (retired, rounds)) in _retired)
        {
            if (_certificates.ContainsKey(id))
            {
                continue;
            }

            if (retired.Current!.NotAfter >= before)
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

    /// <summary>Takes over what is served of earlier settings, so that it ends some time after it has expired.</summary>
    /// <returns><see langword="false"/> when it must not be served: only a staging service that is not configured trusts it, or it is managed by now.</returns>
    public bool TryRetire(string id, CertificateSnapshot certificate)
    {
        if (_certificates.ContainsKey(id) || (certificate.IsFromStaging && !_acceptsStaging))
        {
            return false;
        }

        _retired[id] = (new ManagedCertificate(SpecificationOf(id, certificate.Record.Metadata)) { Current = certificate }, 0);
        return true;
    }

    /// <summary>Whether something is served under an id that is no longer managed, and still valid.</summary>
    public bool IsServed(string id, DateTimeOffset now) => _retired.TryGetValue(id, out var retired) && retired.Certificate.Current!.NotAfter > now;

    /// <summary>Whether a certificate is served without being managed.</summary>
    public bool IsRetired(ManagedCertificate certificate) => _retired.TryGetValue(certificate.Id, out var retired) && ReferenceEquals(retired.Certificate, certificate);

    /// <summary>Stops serving a certificate that is no longer managed.</summary>
    public void Withdraw(ManagedCertificate certificate)
    {
        if (IsRetired(certificate) && !_certificates.ContainsKey(certificate.Id) && _retired.TryRemove(certificate.Id, out _))
        {
            tls.Withdraw(certificate.Id);
        }
    }

    private void Retire(ManagedCertificate certificate)
    {
        if (certificate.Current is not null)
        {
            _retired[certificate.Id] = (certificate, 0);
        }

        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
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
