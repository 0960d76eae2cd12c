using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Engine;

/// <summary>The public face of the engine.</summary>
internal sealed class CertificateManager(
    CertificateCatalog catalog,
    CertificateEngine engine,
    EngineRequests requests,
    AuthorityRegistry authorities,
    DomainStore domains,
    ConfigurationSource configuration,
    CertificateEventHub events,
    IssuanceStatus issuance,
    TimeProvider time) : ICertificateManager
{
    public IReadOnlyList<CertificateStatus> List() => [.. catalog.All.Select(Status)];

    public CertificateStatus? Find(string idOrDomainName) => catalog.FindByName(idOrDomainName) is { } certificate ? Status(certificate) : null;

    public async Task<CertificateStatus> ObtainAsync(string domainName, CancellationToken cancellationToken = default)
    {
        var name = Parse(domainName).Value;
        if (catalog.FindByName(name) is null)
        {
            await AddDomainsAsync([name], cancellationToken);
        }

        var certificate = Get(name);
        if (certificate.State.State == CertificateState.Abandoned)
        {
            await requests.RenewAsync(certificate, cancellationToken);
        }
        else if (certificate.Current is null)
        {
            await requests.ObtainAsync(certificate, cancellationToken);
        }

        return Status(certificate);
    }

    public async Task AddDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default)
    {
        foreach (var name in domainNames.Select(Parse).ToList())
        {
            await domains.AddAsync(name, cancellationToken);
        }

        await engine.ReconcileAsync();
    }

    public async Task<int> RemoveDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default)
    {
        var removed = 0;
        foreach (var name in domainNames.Select(DomainNameParser.Parse).Where(n => n.IsGood))
        {
            removed += await domains.RemoveAsync(name.Identifier!, cancellationToken) ? 1 : 0;
        }

        await engine.ReconcileAsync();
        return removed;
    }

    public async Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default)
    {
        var certificate = Get(idOrDomainName);
        await requests.RenewAsync(certificate, cancellationToken);
        return Status(certificate);
    }

    public async Task<CertificateStatus> RevokeAsync(string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default)
    {
        var certificate = Get(idOrDomainName);
        await requests.RevokeAsync(certificate, reason, cancellationToken);
        return Status(certificate);
    }

    public async Task RolloverAccountKeyAsync(CancellationToken cancellationToken = default)
    {
        var snapshot = configuration.Current;
        foreach (var authority in snapshot.Authorities)
        {
            await authorities.Get(authority).Accounts.RolloverAsync(snapshot.AcceptTermsOfService, cancellationToken);
        }
    }

    public IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default) => events.WatchAsync(cancellationToken);

    private CertificateIdentifier Parse(string domainName)
    {
        var result = DomainNameRules.Check(domainName, configuration.Current);
        return result.IsGood ? result.Identifier : throw new ArgumentException($"'{domainName}' {result.Reason}. {result.Fix}.", nameof(domainName));
    }

    private ManagedCertificate Get(string idOrDomainName)
        => catalog.FindByName(idOrDomainName)
            ?? throw new KeyNotFoundException($"No managed certificate has the id or name '{idOrDomainName}'. Managed are: {string.Join(", ", catalog.All.Select(c => c.Id).Order().Take(20))}.");

    private CertificateStatus Status(ManagedCertificate certificate)
        => CertificateStatuses.Create(certificate, orders: issuance.ReasonNotToOrder is null, time.GetUtcNow());
}
