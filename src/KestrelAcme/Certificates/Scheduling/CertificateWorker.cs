using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Renewal;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>Does what is due for one certificate: decides by the policy, acts, and says what is planned next.</summary>
internal sealed class CertificateWorker(
    CertificateCatalog catalog,
    ConfigurationSource configuration,
    IssuanceStatus issuance,
    AuthorityRegistry authorities,
    OrderRunner orders,
    RenewalInfoPoller renewalInfo,
    CertificateCommitter committer,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<CertificateWorker> logger)
{
    private static readonly TimeSpan SaveAgain = TimeSpan.FromMinutes(1);

    /// <summary>What is planned for a certificate as things stand; <see langword="null"/> when this instance orders nothing.</summary>
    public PlannedWork? Plan(ManagedCertificate certificate)
    {
        if (issuance.ReasonNotToOrder is not null)
        {
            return certificate.Unsaved ? CertificatePlans.Maintenance(time.GetUtcNow()) : null;
        }

        return CertificatePlans.From(certificate.Decide(IssuerOf(certificate, configuration.Current) is not null, time.GetUtcNow()), certificate);
    }

    /// <returns>What is planned next; <see langword="null"/> when nothing is, unless somebody asks.</returns>
    public async Task<PlannedWork?> WorkAsync(string id, CancellationToken stopping, CancellationToken abort)
    {
        if (catalog.Find(id) is not { } certificate || stopping.IsCancellationRequested)
        {
            return null;
        }

        if (issuance.ReasonNotToOrder is { } reason)
        {
            certificate.Answer(certificate.Request, new InvalidOperationException(reason));
        }

        var saved = await committer.SaveAgainAsync(certificate, abort);
        var next = issuance.ReasonNotToOrder is null ? await ActAsync(certificate, stopping, abort) : null;
        var again = time.GetUtcNow() + SaveAgain;
        return saved || next?.Due < again ? next : CertificatePlans.Maintenance(again);
    }

    private async Task<PlannedWork?> ActAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        var snapshot = configuration.Current;
        var now = time.GetUtcNow();
        var issuer = IssuerOf(certificate, snapshot);
        var decision = certificate.Decide(issuer is not null, now);
        if (certificate.Request is null && decision.DueAt > now)
        {
            return CertificatePlans.From(decision, certificate);
        }

        if (certificate.Request is null && decision.Action == CertificateAction.PollRenewalInfo)
        {
            if (!await TryPollAsync(certificate, issuer!, abort))
            {
                return CertificatePlans.Maintenance(now + settings.LeasePoll);
            }
        }
        else if (await OrderAsync(certificate, snapshot, now, stopping, abort) is { } again)
        {
            return CertificatePlans.At(again, certificate);
        }

        return stopping.IsCancellationRequested ? null : Next(certificate);
    }

    /// <returns>When to try again although nothing was tried; <see langword="null"/> after an attempt.</returns>
    private async Task<DateTimeOffset?> OrderAsync(
        ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now, CancellationToken stopping, CancellationToken abort)
    {
        var authority = Choose(certificate, snapshot, now);
        if (certificate.Request is null && authority.Health.OpenUntil > now)
        {
            return authority.Health.OpenUntil;
        }

        return await orders.RunAsync(certificate, authority, snapshot, stopping, abort);
    }

    /// <returns><see langword="false"/> when it is to be tried again soon.</returns>
    private async Task<bool> TryPollAsync(ManagedCertificate certificate, Authority issuer, CancellationToken abort)
    {
        try
        {
            return await renewalInfo.PollAsync(certificate, issuer, abort);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            return false;
        }
    }

    private Authority Choose(ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now)
    {
        var all = snapshot.Authorities.Select(authorities.Get).ToList();
        var failures = certificate.State.AuthorityFailures;
        var candidates = all.ConvertAll(a => new AuthorityCandidate(a.Specification.Id, failures?.GetValueOrDefault(a.Specification.Id) ?? 0, a.Health.OpenUntil));
        return all[FailoverPolicy.Choose(candidates, certificate.Current?.Facts(certificate.Specification, renewalInfoOffered: false), now)];
    }

    private PlannedWork Next(ManagedCertificate certificate)
    {
        var decision = certificate.Decide(IssuerOf(certificate, configuration.Current) is not null, time.GetUtcNow());
        if (decision.Action == CertificateAction.Order)
        {
            logger.NextOrderPlanned(certificate.Id, decision.DueAt, decision.Reason.ToString());
        }

        return CertificatePlans.From(decision, certificate);
    }

    /// <summary>The authority that issued what is served, if we still know it: only it can say when to renew.</summary>
    private Authority? IssuerOf(ManagedCertificate certificate, ConfigurationSnapshot snapshot)
    {
        var issuer = certificate.Current?.Record.Metadata.DirectoryUrl;
        var specification = snapshot.Authorities.FirstOrDefault(a => a.DirectoryUrl == issuer);
        return specification is null ? null : authorities.Get(specification);
    }
}
