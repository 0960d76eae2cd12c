using System.Collections.Concurrent;
using System.Net;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Model;

/// <summary>
/// What TLS serves: the certificates that are published to it, except those that are withheld, and the retired ones, which are served
/// without being managed. Certificates are published to TLS only here.
/// </summary>
/// <remarks>Only <see cref="CertificateCatalog"/> changes it, one change at a time. Safe for concurrent reading.</remarks>
internal sealed class ServedCertificates(ITlsPublisher tls)
{
    // If the clock jumped, all certificates would seem expired at once. So they are withdrawn only if they were found expired on several
    // days.
    private const int RoundsBeforeWithdrawal = 3;

    // Certificates that are served but no longer managed, with the number of times that they were found expired long ago.
    private readonly ConcurrentDictionary<string, RetiredCertificate> _retired = new(StringComparer.Ordinal);

    public IEnumerable<ManagedCertificate> Retired => _retired.Values.Select(r => r.Certificate);

    /// <summary>Whether a certificate is served under an ID that is no longer managed, and is still valid.</summary>
    public bool IsServed(string id, DateTimeOffset now)
        => _retired.TryGetValue(id, out var retired) && retired.Certificate.Current?.NotAfter > now;

    public bool IsRetired(ManagedCertificate certificate)
        => _retired.TryGetValue(certificate.Id, out var retired) && ReferenceEquals(retired.Certificate, certificate);

    /// <summary>Says which names are managed for good.</summary>
    public void SetManagedNames(IReadOnlyList<CertificateSpecification> specifications)
        => tls.SetManagedNames([.. specifications.SelectMany(s => s.Identifiers).Select(i => i.Value)], SoleName(specifications));

    /// <summary>Says whether the names of a certificate are managed on demand.</summary>
    public void SetOnDemand(CertificateSpecification specification, bool isManaged)
        => tls.SetOnDemand(specification.Id, specification.Identifiers.Select(i => i.Value), isManaged);

    /// <summary>Serves a new certificate, unless it is withheld.</summary>
    /// <exception cref="InvalidCertificateException">The certificate must not be served. The previous one still is.</exception>
    public void Publish(ManagedCertificate certificate, CertificateSnapshot snapshot, bool isManaged)
    {
        if (!certificate.IsWithheld)
        {
            tls.Publish(Material(certificate, snapshot, isManaged));
        }
    }

    /// <summary>Serves certificates that were read from the store, unless they are withheld.</summary>
    /// <returns>The IDs that were refused, each with the reason.</returns>
    public IReadOnlyDictionary<string, string> PublishStored(
        IEnumerable<FoundCertificate> found, Func<ManagedCertificate, bool> isManaged)
        => tls.PublishStored(
            [.. found.Where(f => !f.Certificate.IsWithheld).Select(f => Material(f.Certificate, f.Stored, isManaged(f.Certificate)))]);

    /// <summary>Serves certificates again under all their names, because a retired one may have been served under some of them.</summary>
    public void ServeAgain(List<ManagedCertificate> managed)
    {
        var back = managed.FindAll(c => c.Current is not null);
        if (back.Count > 0)
        {
            tls.PublishStored([.. back.Select(c => Material(c, c.Current!, isManaged: true))]);
        }
    }

    public void Withdraw(string id) => tls.Withdraw(id);

    /// <summary>Serves a certificate from now on, if it was withheld, and if there is one.</summary>
    public void Release(ManagedCertificate certificate, bool isManaged)
    {
        if (certificate.IsWithheld)
        {
            certificate.IsWithheld = false;
            if (certificate.Current is { } current)
            {
                tls.PublishStored([Material(certificate, current, isManaged)]);
            }
        }
    }

    /// <summary>Stops serving a certificate until it is released.</summary>
    public void Withhold(ManagedCertificate certificate)
    {
        certificate.IsWithheld = true;
        tls.Withdraw(certificate.Id);
    }

    // One without a certificate is kept too: its order may be in progress, and the result must be known if the name comes back in the
    // meantime.
    public void Retire(ManagedCertificate certificate)
    {
        _retired[certificate.Id] = new(certificate, 0);
        tls.SetRetired(certificate.Id, isRetired: true);
        certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
    }

    /// <summary>
    /// Serves a certificate that was on demand for some of its names, until their own certificate is there. The permission has to be asked
    /// about the rest.
    /// </summary>
    public void RetireOnDemand(ManagedCertificate certificate, HashSet<string> wanted)
    {
        if (certificate.Current is { } current)
        {
            List<string> names = [.. current.Record.Metadata.Names.Where(wanted.Contains)];
            _retired[certificate.Id] = new(certificate, 0);
            tls.PublishStored([current.Material(certificate.Id, names) with { IsRetired = true }]);
        }
    }

    /// <summary>Serves a stored certificate that is not managed for some names, and retires it.</summary>
    /// <returns><see langword="false"/> if it cannot be used.</returns>
    public bool TryRetireStored(string id, CertificateSnapshot stored, IReadOnlyList<string> names)
    {
        if (tls.PublishStored([stored.Material(id, names) with { IsRetired = true }]).Count > 0)
        {
            return false;
        }

        _retired[id] = new(new ManagedCertificate(SpecificationOf(id, stored.Record.Metadata)) { Current = stored }, 0);
        return true;
    }

    /// <summary>
    /// Returns the certificate to manage for a specification. It is the same object as before if it was retired, so that what it serves is
    /// known, and a job in progress works on the managed certificate.
    /// </summary>
    public ManagedCertificate TakeBack(CertificateSpecification specification)
        => _retired.TryRemove(specification.Id, out var retired) ? retired.Certificate : new ManagedCertificate(specification);

    /// <summary>Stops serving a retired certificate.</summary>
    public void WithdrawRetired(ManagedCertificate certificate)
    {
        if (IsRetired(certificate) && _retired.TryRemove(certificate.Id, out _))
        {
            tls.Withdraw(certificate.Id);
        }
    }

    /// <summary>Stops serving retired certificates that expired before a time.</summary>
    public void WithdrawExpired(DateTimeOffset before)
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

    // A retired certificate ranks below every managed one. Otherwise TLS might prefer it to its successor forever, because of its kind of
    // key.
    private static CertificateMaterial Material(ManagedCertificate certificate, CertificateSnapshot snapshot, bool isManaged)
        => snapshot.Material(certificate.Specification) with { IsRetired = !isManaged };

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
