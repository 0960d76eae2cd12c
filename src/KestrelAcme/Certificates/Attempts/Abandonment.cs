using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Challenges.Routing;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// Gives up certificates that expired long ago and whose names lead elsewhere, and takes them up again when a name is back. Giving up costs
/// no order, and a served certificate stays served.
/// </summary>
internal sealed class Abandonment(
    INameRouting names, CertificateLeases leases, CertificateEventHub events, TimeProvider time, ILogger<Abandonment> logger)
{
    private static readonly TimeSpan LookTime = TimeSpan.FromMinutes(1);

    /// <summary>Gives up a certificate if that is due.</summary>
    /// <returns>Whether it was given up. If so, nothing is ordered for it.</returns>
    public async Task<bool> TryGiveUpAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        if (!IsCandidate(certificate) || !AbandonmentPolicy.IsAbandoned(await LookAsync(certificate, AbandonmentPolicy.IsBack, stopping)))
        {
            return false;
        }

        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null || !IsCandidate(certificate))
        {
            return false;
        }

        var now = time.GetUtcNow();
        await writer.ChangeAsync(
            state => state with { State = CertificateState.Abandoned, Since = now, LookedAt = now, StoredOrder = null }, abort);
        logger.CertificateAbandoned(certificate.Id, certificate.Current!.NotAfter);
        events.Publish(
            CertificateEventKind.Abandoned,
            $"The certificate for {certificate.Id} expired long ago and its names no longer lead here: nothing is ordered for it any more.",
            CertificateStatuses.Create(certificate, orders: true, now));
        return true;
    }

    /// <summary>Finds out where the names of an abandoned certificate lead.</summary>
    /// <returns><see langword="false"/> if another instance holds the lease. Try again soon.</returns>
    public async Task<bool> LookAgainAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        var isBack = AbandonmentPolicy.IsBack(await LookAsync(certificate, AbandonmentPolicy.IsBack, stopping));
        await using var writer = await leases.TryOpenAsync(certificate, abort);
        if (writer is null)
        {
            return false;
        }

        var now = time.GetUtcNow();
        if (certificate.State.State != CertificateState.Abandoned)
        {
            return true;
        }

        if (!isBack)
        {
            await writer.ChangeAsync(state => state with { LookedAt = now }, abort);
            return true;
        }

        // Its failures are kept: if it fails again, the next attempt is a day away.
        await writer.ChangeAsync(
            state => state with
            {
                State = CertificateState.RenewalDue,
                Since = now,
                LookedAt = now,
                Failure = state.Failure is { } failure ? failure with { NextAttempt = now } : null,
            },
            abort);
        logger.AbandonedNameIsBack(certificate.Id);
        return true;
    }

    private bool IsCandidate(ManagedCertificate certificate)
        => AbandonmentPolicy.IsCandidate(
            certificate.Current?.Facts(certificate.Specification, renewalInfoOffered: false), certificate.Failure, time.GetUtcNow());

    /// <returns>The places that were found, until they were enough to decide.</returns>
    private async Task<IReadOnlyCollection<NameRoute>> LookAsync(
        ManagedCertificate certificate, Func<IReadOnlyCollection<NameRoute>, bool> isEnough, CancellationToken stopping)
    {
        using var limit = new TimeLimit(LookTime, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        var places = new List<NameRoute>();
        try
        {
            foreach (var name in certificate.Specification.Identifiers)
            {
                places.Add(await names.FindAsync(name, certificate.Specification.ChallengeTypes.Any(IsProvenByDns), both.Token));
                if (isEnough(places))
                {
                    break;
                }
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            places.Add(NameRoute.Unknown);
        }

        return places;
    }

    private static bool IsProvenByDns(string challengeType) => challengeType.StartsWith("dns-", StringComparison.Ordinal);
}
