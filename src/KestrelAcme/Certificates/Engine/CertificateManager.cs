using KestrelAcme.Certificates.Domains;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Engine;

/// <summary>The public face of the engine. If a name has several certificates, each is tried, and the first failure is thrown.</summary>
internal sealed class CertificateManager(
    CertificateCatalog catalog,
    CertificateEngine engine,
    EngineRequests requests,
    DomainStore domains,
    ConfigurationSource configuration,
    CertificateEventHub events,
    CertificateOverview overview,
    Lazy<OnDemandLife> demand) : ICertificateManager
{
    public IReadOnlyList<CertificateStatus> List() => [.. catalog.All.Select(Status)];

    public CertificateStatus? Find(string idOrDomainName)
        => catalog.All.FindByName(idOrDomainName) is { } certificate ? Status(certificate) : null;

    public async Task<CertificateStatus> ObtainAsync(string domainName, CancellationToken cancellationToken = default)
    {
        var name = Parse(domainName);
        if (catalog.All.FindByName(name.Value) is null)
        {
            await AddAsync([name], cancellationToken);
        }

        var certificates = Get(name.Value);
        await Task.WhenAll(certificates.Select(c => c.State.State == CertificateState.Abandoned ? requests.RenewAsync(c, cancellationToken)
            : c.Current is null ? requests.ObtainAsync(c, cancellationToken)
            : Task.CompletedTask));
        return Status(certificates[0]);
    }

    public Task AddDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default)
        => AddAsync([.. domainNames.Select(Parse)], cancellationToken);

    public async Task<int> RemoveDomainsAsync(IReadOnlyCollection<string> domainNames, CancellationToken cancellationToken = default)
    {
        var removed = 0;
        foreach (var name in domainNames.Select(DomainNameParser.Parse).Where(n => n.IsSuccess))
        {
            removed += await domains.RemoveAsync(name.Identifier!, cancellationToken) ? 1 : 0;
        }

        await engine.ReconcileAsync();
        return removed;
    }

    public async Task<CertificateStatus> RenewAsync(string idOrDomainName, CancellationToken cancellationToken = default)
    {
        var certificates = Get(idOrDomainName);
        await Task.WhenAll(certificates.Select(c => requests.RenewAsync(c, cancellationToken)));
        return Status(certificates[0]);
    }

    public async Task<CertificateStatus> RevokeAsync(
        string idOrDomainName, RevocationReason reason, CancellationToken cancellationToken = default)
    {
        var certificates = Get(idOrDomainName);
        if (certificates.All(c => c.Current is null))
        {
            throw new InvalidOperationException($"There is no certificate for {idOrDomainName} to revoke.");
        }

        await Task.WhenAll(certificates.Select(
            c => c.Current is null && certificates.Count > 1 ? Task.CompletedTask : requests.RevokeAsync(c, reason, cancellationToken)));
        return Status(certificates[0]);
    }

    public async Task<int> RenewAllAsync(Func<CertificateStatus, bool>? filter = null, CancellationToken cancellationToken = default)
        => await requests.RenewAllAsync(c => filter is null || filter(Status(c)), cancellationToken);

    public Task<IReadOnlyList<RegisteredAccount>> ListAccountsAsync(CancellationToken cancellationToken = default)
        => requests.ListAccountsAsync(cancellationToken);

    public async Task<bool> ForgetAsync(string domainName, CancellationToken cancellationToken = default)
        => configuration.Current.OnDemand is not null
            && DomainNameParser.Parse(domainName) is { IsSuccess: true, Identifier: var name }
            && await demand.Value.ForgetAsync(name, cancellationToken);

    public Task RolloverAccountKeyAsync(CancellationToken cancellationToken = default)
        => requests.RolloverAccountKeysAsync(cancellationToken);

    public Task<DiagnosisReport> DiagnoseAsync(CancellationToken cancellationToken = default)
        => overview.DiagnoseAsync(cancellationToken);

    public IAsyncEnumerable<CertificateEvent> WatchAsync(CancellationToken cancellationToken = default)
        => events.WatchAsync(cancellationToken);

    private async Task AddAsync(IReadOnlyCollection<CertificateIdentifier> names, CancellationToken cancellationToken)
    {
        foreach (var name in names)
        {
            await domains.AddAsync(name, cancellationToken);
        }

        await engine.ReconcileAsync();
    }

    private CertificateIdentifier Parse(string domainName)
    {
        var result = DomainNameRules.Check(domainName, configuration.Current);
        return result.IsSuccess
            ? result.Identifier
            : throw new ArgumentException(
                $"'{QuotedText.Of(domainName, QuotedText.MaxNameLength)}' {result.Reason}. {result.Fix}.", nameof(domainName));
    }

    /// <summary>
    /// The certificate that has an id, or those that have a name: several if there are several key algorithms side by side.
    /// </summary>
    private IReadOnlyList<ManagedCertificate> Get(string idOrDomainName)
        => catalog.All.FindAllByName(idOrDomainName) is { Count: > 0 } found ? found
            : throw new KeyNotFoundException(
                $"No managed certificate has the id or name '{QuotedText.Of(idOrDomainName, QuotedText.MaxNameLength)}'. "
                + $"Managed are: {string.Join(", ", catalog.All.Select(c => c.Id).Order().Take(20))}.");

    private CertificateStatus Status(ManagedCertificate certificate) => overview.Status(certificate);
}
