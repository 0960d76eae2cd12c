using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges.Dns01;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Scheduling;

/// <summary>
/// Asks DNS now and then whether the operator has fixed what an order failed for: a CAA record, the record of dns-persist-01, a CNAME,
/// the addresses of a name. The CA is asked for nothing before DNS shows a change.
/// </summary>
internal sealed class RecordWatch(
    RecordLook look,
    INameRouting names,
    CertificateLeases leases,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<RecordWatch> logger)
{
    private static readonly TimeSpan AddressTimeLimit = TimeSpan.FromSeconds(10);

    /// <summary>Notes what DNS shows at the time of a failure, for later comparison.</summary>
    public async Task<FailureRecord> NoteAsync(
        ManagedCertificate certificate, CertificateSpecification attempted, FailureRecord failure, CancellationToken cancellationToken)
    {
        if (failure.IsOfAddresses)
        {
            // The first look comes at once, but not here: it must not keep the place of an order while a name's servers are slow.
            certificate.Looks = null;
            return failure;
        }

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
        if (certificate.Failure is { IsOfAddresses: true } ofAddresses)
        {
            return await LookAtAddressesAsync(certificate, ofAddresses, stopping, abort);
        }

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

    private async Task<bool> LookAtAddressesAsync(
        ManagedCertificate certificate, FailureRecord failure, CancellationToken stopping, CancellationToken abort)
    {
        var (known, now) = (failure.Addresses!, time.GetUtcNow());
        var looks = Next(certificate);
        if (!known.AwaitsLook && !AddressWatch.MayBringForward(known, now))
        {
            certificate.Looks = looks;
            return true;
        }

        var sights = await ReadAddressesAsync(certificate.Specification, stopping);
        var (fresh, steady) = AddressWatch.Judge(known, certificate.Looks, sights);
        if (known.AwaitsLook || steady.Count > 0)
        {
            // What is stored now need not be remembered here.
            var seen = AddressWatch.Remember(known, sights, certificate.Looks);
            var bringsForward = !known.AwaitsLook;
            seen = bringsForward ? AddressWatch.BringForward(seen, now) : seen;
            if (!await NoteAddressesAsync(certificate, failure, seen, bringsForward, abort))
            {
                // The lease may be held for as long as an order takes: DNS is not asked again and again meanwhile.
                certificate.Looks = looks;
                return false;
            }

            certificate.Looks = looks with { Changed = [], Unsteady = [] };
            return true;
        }

        // What is new must still be there at a second look.
        var unsteady = looks.Unsteady.Union(looks.Changed.Except(fresh)).Take(AddressWatch.MostSets);
        certificate.Looks = looks with
        {
            Changed = fresh,
            Unsteady = [.. unsteady],
            NextAt = fresh.Count > 0 ? now + settings.RecordLook : looks.NextAt,
        };
        return true;
    }

    private async Task<IReadOnlyList<NameAddresses>> ReadAddressesAsync(CertificateSpecification specification, CancellationToken stopping)
    {
        using var limit = new TimeLimit(AddressTimeLimit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        var watched = specification.Identifiers.Where(i => i is { Kind: IdentifierKind.Dns, IsWildcard: false }).Select(i => i.Value);
        var sights = await names.ReadAddressesAsync([.. watched.Take(AddressWatch.MostNames)], both.Token);
        stopping.ThrowIfCancellationRequested();
        return sights;
    }

    /// <returns><see langword="false"/> if another instance holds the lease. Try again soon.</returns>
    private async Task<bool> NoteAddressesAsync(
        ManagedCertificate certificate, FailureRecord failure, SeenAddresses seen, bool bringsForward, CancellationToken abort)
    {
        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null)
        {
            return false;
        }

        if (certificate.Failure?.At != failure.At)
        {
            return true;
        }

        var now = time.GetUtcNow();
        if (bringsForward)
        {
            logger.RecordsChanged(certificate.Id);
        }

        await writer.ChangeAsync(
            state => state.Failure is not { } last ? state : state with
            {
                Failure = last with
                {
                    Addresses = seen,
                    NextAttempt = bringsForward ? Earlier(last.NextAttempt, Allowed(state, now)) : last.NextAttempt,
                },
            },
            abort);
        return true;
    }

    // The limit of failed validations holds for attempts that are brought forward, too.
    private static DateTimeOffset Allowed(CertificateStateRecord state, DateTimeOffset now)
        => FailedValidationPolicy.NextSensible(state.FailedValidations ?? [], now) is { } allowed && allowed > now ? allowed : now;

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

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
