using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates;

/// <summary>The public face of the engine.</summary>
internal sealed class CertificateManager(CertificateCatalog catalog, CertificateEngine engine, CertificateEventHub events, IssuanceStatus issuance, TimeProvider time) : ICertificateManager
{
    public IReadOnlyList<CertificateStatus> List() => [.. catalog.All.Select(Status)];

    public CertificateStatus? Find(string idOrDomainName) => catalog.FindByName(idOrDomainName) is { } certificate ? Status(certificate) : null;

    public async Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default)
    {
        var certificate = Get(idOrDomainName);
        await engine.RenewAsync(certificate, cancellationToken);
        return Status(certificate);
    }

    public async Task<CertificateStatus> RevokeAsync(string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default)
    {
        var certificate = Get(idOrDomainName);
        await engine.RevokeAsync(certificate, reason, cancellationToken);
        return Status(certificate);
    }

    public IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default) => events.WatchAsync(cancellationToken);

    private ManagedCertificate Get(string idOrDomainName)
        => catalog.FindByName(idOrDomainName)
            ?? throw new KeyNotFoundException($"No managed certificate has the id or name '{idOrDomainName}'. Managed are: {string.Join(", ", catalog.All.Select(c => c.Id).Order().Take(20))}.");

    private CertificateStatus Status(ManagedCertificate certificate)
        => CertificateStatuses.Create(certificate, orders: issuance.ReasonNotToOrder is null, time.GetUtcNow());
}
