using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>What is done for a certificate between its orders: the authority is asked for renewal information, and DNS for what a person has to repair, or for the names of a certificate that was given up.</summary>
internal sealed class MaintenanceStep(
    AuthorityChoice authorities,
    RenewalInfoPoller renewalInfo,
    Abandonment abandonment,
    RecordWatch records,
    CertificatePlanner planner,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    ILogger<MaintenanceStep> logger)
{
    /// <returns>How long to wait before it is tried again; <see langword="null"/> when it was done.</returns>
    public async Task<TimeSpan?> RunAsync(ManagedCertificate certificate, DateTimeOffset now, CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            return planner.Decide(certificate, now).Action switch
            {
                CertificateAction.LookForNames => await abandonment.LookAgainAsync(certificate, stopping, abort) ? null : settings.LeasePoll,
                CertificateAction.LookAtRecords => await records.LookAgainAsync(certificate, stopping, abort) ? null : settings.LeasePoll,
                _ => await PollAsync(certificate, stopping, abort),
            };
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            logger.RenewalInfoUnavailable(certificate.Id, exception.Message);
            return settings.StoreRetry;
        }
    }

    private async Task<TimeSpan?> PollAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        if (authorities.Issuer(certificate, configuration.Current) is not { } issuer)
        {
            return null;
        }

        return renewalInfo.LeftAlone(issuer) is { } pause ? pause
            : await renewalInfo.PollAsync(certificate, issuer, stopping, abort) ? null
            : settings.LeasePoll;
    }
}
