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
    private readonly ConcurrentDictionary<string, ManagedCertificate> _certificates = new(StringComparer.Ordinal);

    // A clock that jumped would have all of them expire at once: they are withdrawn when they were found so on several days.
    private const int RoundsBeforeWithdrawal = 3;

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
        var added = new List<ManagedCertificate>();
        var wanted = new HashSet<string>(specifications.Count, StringComparer.Ordinal);
        foreach (var specification in specifications)
        {
            wanted.Add(specification.Id);
            if (_certificates.TryGetValue(specification.Id, out var known))
            {
                // The one that is there stays where nothing changed: who holds it for years should not change it for its double at every look.
                known.Specification = known.Specification == specification ? known.Specification : specification;
            }
            else
            {
                var certificate = new ManagedCertificate(specification);
                _certificates[specification.Id] = certificate;
                _retired.TryRemove(specification.Id, out _);
                added.Add(certificate);
            }
        }

        _acceptsStaging = configuration.Authorities.Any(a => WellKnownAuthorities.IsStaging(a.DirectoryUrl));
        foreach (var (_, certificate) in _certificates)
        {
            certificate.AcceptsStaging = _acceptsStaging;
            certificate.Authorities = configuration.Authorities;
        }

        var removed = _certificates.Select(c => c.Key).Where(id => !wanted.Contains(id)).ToList();
        removed.ForEach(Remove);
        tls.SetManagedNames([.. specifications.SelectMany(c => c.Identifiers).Select(i => i.Value)]);
        return (added, removed);
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

    private void Remove(string id)
    {
        if (_certificates.TryRemove(id, out var certificate))
        {
            if (certificate.Current is not null)
            {
                _retired[id] = (certificate, 0);
            }

            certificate.Answer(new InvalidOperationException($"{id} is no longer managed."));
        }
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
