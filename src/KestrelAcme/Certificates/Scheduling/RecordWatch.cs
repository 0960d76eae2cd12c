using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Asks DNS now and then whether the operator has fixed what an order failed for: a CAA record, the record of dns-persist-01, a CNAME. The
/// CA is asked for nothing before DNS shows a change.
/// </summary>
internal sealed class RecordWatch(
    RecordLook look, CertificateLeases leases, IssuanceSettings settings, TimeProvider time, ILogger<RecordWatch> logger)
{
    /// <summary>Notes what DNS shows at the time of a failure, for later comparison.</summary>
    public async Task<FailureRecord> NoteAsync(
        ManagedCertificate certificate, CertificateSpecification attempted, FailureRecord failure, CancellationToken cancellationToken)
    {
        if (!failure.IsVisibleInDns)
        {
            return failure;
        }

        certificate.Looks = Next(certificate);
        return failure with { Seen = (await LookAsync(attempted, failure, cancellationToken)).Mark };
    }

    /// <returns><see langword="false"/> if another instance holds the lease. Try again soon.</returns>
    public async Task<bool> LookAgainAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        if (certificate.Failure is not { IsVisibleInDns: true } failure)
        {
            return true;
        }

        var view = await LookAsync(certificate.Specification, failure, stopping);
        stopping.ThrowIfCancellationRequested();
        certificate.Looks = Next(certificate);
        if (!view.ShowsAll && (view.Mark is null || view.Mark == failure.Seen))
        {
            return true;
        }

        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null)
        {
            return false;
        }

        if (certificate.Failure?.At == failure.At)
        {
            var now = time.GetUtcNow();
            logger.RecordsChanged(certificate.Id);
            await writer.ChangeAsync(
                state => state with { Failure = state.Failure is { } last ? last with { NextAttempt = now } : null }, abort);
        }

        return true;
    }

    private RecordLooks Next(ManagedCertificate certificate)
        => RecordLooks.Next(certificate.Looks, settings.RecordLook, settings.LongestRecordLook, time.GetUtcNow());

    private Task<RecordView> LookAsync(
        CertificateSpecification specification, FailureRecord failure, CancellationToken cancellationToken)
    {
        var byCaa = failure.ProblemType == AcmeProblemTypes.Caa || failure.RequiredRecords.Any(r => r.Type == RecordLook.Caa);
        string[] caa = byCaa
            ? [.. specification.Identifiers.Where(i => i.Kind == IdentifierKind.Dns).Select(i => i.BaseValue).Distinct()]
            : [];
        return look.LookAsync(caa, failure.RequiredRecords, cancellationToken);
    }
}
