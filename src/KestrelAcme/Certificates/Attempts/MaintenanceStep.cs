using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// What is done for a certificate between its orders: it is stored and exported, the authority is asked for renewal information, and DNS
/// for what the operator has to correct or for the names of an abandoned certificate.
/// </summary>
internal sealed class MaintenanceStep(
    AuthorityChoice authorities,
    RenewalInfoPoller renewalInfo,
    Abandonment abandonment,
    RecordWatch records,
    CertificateCommitter committer,
    ConfigurationSource configuration,
    IssuanceSettings settings,
    ILogger<MaintenanceStep> logger)
{
    /// <summary>Stores again what could not be stored, and exports what is served: another instance may have obtained it.</summary>
    public async Task KeepAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        await committer.SaveAgainAsync(certificate, cancellationToken);
        await committer.ExportAsync(certificate, cancellationToken);
    }

    /// <returns>How long to wait before it is tried again; <see langword="null"/> if it was done.</returns>
    public async Task<TimeSpan?> RunAsync(
        ManagedCertificate certificate, CertificateAction action, CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            return action switch
            {
                CertificateAction.LookForNames
                    => await abandonment.LookAgainAsync(certificate, stopping, abort) ? null : settings.LeasePoll,
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
