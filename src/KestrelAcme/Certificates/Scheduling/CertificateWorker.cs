using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Does what is due for one certificate: decides by the policy, acts, and says when something is due next.</summary>
internal sealed class CertificateWorker(
    CertificateCatalog catalog,
    ConfigurationSource configuration,
    IssuanceStatus issuance,
    AuthorityRegistry authorities,
    OrderRunner orders,
    RenewalInfoPoller renewalInfo,
    CertificateCommitter committer,
    TimeProvider time,
    ILogger<CertificateWorker> logger)
{
    private static readonly TimeSpan SaveAgain = TimeSpan.FromMinutes(1);

    /// <returns>When something is due next; <see langword="null"/> when nothing will be, unless somebody asks.</returns>
    public async Task<DateTimeOffset?> WorkAsync(string id, CancellationToken stopping, CancellationToken abort)
    {
        if (catalog.Find(id) is not { } certificate || stopping.IsCancellationRequested)
        {
            return null;
        }

        var saved = await committer.SaveAgainAsync(certificate, abort);
        var next = issuance.ReasonNotToOrder is null ? await ActAsync(certificate, stopping, abort) : null;
        return saved ? next : Earlier(next, time.GetUtcNow() + SaveAgain);
    }

    private async Task<DateTimeOffset?> ActAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        var snapshot = configuration.Current;
        var authority = authorities.Get(snapshot.Authorities[0]);
        var issuer = IssuerOf(certificate, snapshot);
        var now = time.GetUtcNow();
        var decision = certificate.Decide(issuer is not null, now);
        if (certificate.Request is not null)
        {
            decision = new RenewalDecision(CertificateAction.Order, now, RenewalReason.Missing);
        }

        if (decision.DueAt > now)
        {
            return decision.DueAt;
        }

        if (decision.Action == CertificateAction.PollRenewalInfo)
        {
            await renewalInfo.PollAsync(certificate, issuer!, abort);
        }
        else if (certificate.Request is null && authority.Health.OpenUntil > now)
        {
            return authority.Health.OpenUntil;
        }
        else if (await orders.RunAsync(certificate, authority, snapshot, stopping, abort) is { } again)
        {
            return again;
        }

        return Next(certificate, stopping);
    }

    private DateTimeOffset? Next(ManagedCertificate certificate, CancellationToken stopping)
    {
        if (stopping.IsCancellationRequested)
        {
            return null;
        }

        var decision = certificate.Decide(IssuerOf(certificate, configuration.Current) is not null, time.GetUtcNow());
        if (decision.Action == CertificateAction.Order)
        {
            logger.NextOrderPlanned(certificate.Id, decision.DueAt, decision.Reason.ToString());
        }

        return decision.DueAt;
    }

    /// <summary>The authority that issued what is served, if we still know it: only it can say when to renew.</summary>
    private Authority? IssuerOf(ManagedCertificate certificate, ConfigurationSnapshot snapshot)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var specification = snapshot.Authorities.FirstOrDefault(a => a.DirectoryUrl == issuer);
        return specification is null ? null : authorities.Get(specification);
    }

    private static DateTimeOffset Earlier(DateTimeOffset? one, DateTimeOffset other) => one < other ? one.Value : other;
}
