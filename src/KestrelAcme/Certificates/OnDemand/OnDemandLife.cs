using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Upkeep;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Keeps names on demand only as long as they are asked for and allowed: notes visits, asks again about names that are visited, and forgets
/// those that nobody has visited for long, with their files.
/// </summary>
internal sealed class OnDemandLife(
    OnDemandNames names, OnDemandCertificates certificates, OnDemandIssuance issuance, CertificateLeases leases, CertificateStore store,
    ConfigurationSource configuration, TimeProvider time, ILogger<OnDemandLife> logger)
{
    private const int ChecksAtOnce = 8;

    /// <summary>How old a permission may be while its name is visited.</summary>
    public static TimeSpan LongestPermission { get; } = TimeSpan.FromHours(1);

    // Visits are stored to the day.
    private static readonly TimeSpan VisitInterval = TimeSpan.FromDays(1);

    /// <summary>Looks at all names once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (configuration.Current.OnDemand is not { } demand)
        {
            return;
        }

        await Parallel.ForEachAsync(
            names.All.ToList(),
            new ParallelOptions { MaxDegreeOfParallelism = ChecksAtOnce, CancellationToken = cancellationToken },
            async (name, token) =>
            {
                try
                {
                    await LookAtAsync(name, demand, token);
                }
                catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
                {
                    // The next sweep tries again.
                    logger.OnDemandNamesNotFollowed(exception.Message);
                }
            });
    }

    /// <summary>Forgets a name: it is no longer served or renewed, and its record, certificates and keys are deleted.</summary>
    /// <returns><see langword="false"/> if it is not a name on demand.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be written.</exception>
    public async Task<bool> ForgetAsync(CertificateIdentifier identifier, CancellationToken cancellationToken)
    {
        var known = names.Find(identifier.Value);
        if (known is null && await names.ReadAsync(identifier, cancellationToken) is { } stored)
        {
            known = issuance.TakeUp(stored, cancellationToken).Name;
        }

        if (known is null)
        {
            return false;
        }

        await ForgetAsync(known, quiet: null, cancellationToken);
        return true;
    }

    private async Task LookAtAsync(OnDemandName name, OnDemandSpecification demand, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var servesOnly = configuration.Current.Issuance == IssuanceMode.ServeOnly;
        if (name.Names.Any(certificates.IsConfigured))
        {
            certificates.Drop(name);
            if (!servesOnly && now - name.Record.LastAsked > VisitInterval)
            {
                // Not earlier: while a new version is rolled out, instances without its configuration serve the name.
                await names.DeleteAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken);
            }

            return;
        }

        var visit = certificates.LastVisit(name, now);
        if (visit - name.Record.LastAsked >= VisitInterval || !name.IsNoted)
        {
            await names.ChangeAsync(name, stored => name.NotedIn(stored, visit, now), cancellationToken);
        }

        PlanIfWantedAgain(name, now);
        var hasCertificate = certificates.HasCertificate(name);
        if (!servesOnly && await IsQuietForLongAsync(name, hasCertificate, visit, demand, cancellationToken))
        {
            await ForgetAsync(name, demand, cancellationToken);
        }
        else if (hasCertificate && certificates.LastUsed(name) > name.Asked
            && (name.Asked == 0 || time.GetElapsedTime(name.Asked) > LongestPermission))
        {
            await issuance.CheckAsync(name, cancellationToken);
        }
    }

    private void PlanIfWantedAgain(OnDemandName name, DateTimeOffset now)
    {
        var isLeft = name.IsDenied || certificates.IsQuiet(name, now);
        if (name.WasLeft && !isLeft)
        {
            certificates.PlanAgain(name);
        }

        name.WasLeft = isLeft;
    }

    // Only an instance that orders decides what becomes of the records, certificates and keys that all share.
    private async Task<bool> IsQuietForLongAsync(
        OnDemandName name, bool hasCertificate, DateTimeOffset? visit, OnDemandSpecification demand, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var next = QuietPolicy.Mark(name.Record, visit, hasCertificate, demand.ForgetAfter, now);
        if (next != name.Record.Quiet)
        {
            await names.ChangeAsync(
                name,
                stored => stored with { Quiet = QuietPolicy.Mark(stored, visit, hasCertificate, demand.ForgetAfter, now) },
                cancellationToken);
        }

        return QuietPolicy.MayGo(name.Record, visit, hasCertificate, demand.ForgetAfter, now);
    }

    // The lease of its orders: none is under way, here or elsewhere. The record goes first, so that other instances do not write back what
    // they still serve. Without the limits of the configuration, somebody asked for it.
    private async Task ForgetAsync(OnDemandName name, OnDemandSpecification? quiet, CancellationToken cancellationToken)
    {
        // If it is configured by now, its files are not those of the name on demand.
        var own = certificates.Find(name).FindAll(c => c.Specification.IsOnDemand);
        await using var writer = own.Count == 0 ? null
            : quiet is null ? await leases.OpenAsync(own[0], cancellationToken)
            : await leases.TryOpenAsync(own[0], cancellationToken);
        if ((own.Count > 0 && writer is null) || (quiet is not null && !await IsQuietAsync(name, own, quiet, cancellationToken)))
        {
            return;
        }

        // Removing a name and adding it again must not get around the limits. Housekeeping removes what is left of it.
        var limits = own.Count == 0 ? null
            : CertificateStateRecord.LimitsOf(await ReadStatesAsync(own, cancellationToken), time.GetUtcNow());
        await names.DeleteAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken);
        certificates.Drop(name);
        foreach (var certificate in own)
        {
            await store.DeleteAsync(certificate.Id, writer!.Lease, cancellationToken);
        }

        if (limits is not null)
        {
            await writer!.ChangeAsync(_ => limits, cancellationToken);
        }

        logger.OnDemandNameForgotten(Quoted.Name(name.Record.Name));
    }

    // That of the first one was read when its lease was taken.
    private async Task<List<CertificateStateRecord>> ReadStatesAsync(
        List<ManagedCertificate> own, CancellationToken cancellationToken)
    {
        var states = new List<CertificateStateRecord>(own.Count);
        foreach (var certificate in own)
        {
            var isRead = certificate.IsLoaded || states.Count == 0;
            states.Add((isRead ? null : await store.ReadStateAsync(certificate.Id, cancellationToken)) ?? certificate.State);
        }

        return states;
    }

    // A certificate that is not in memory may be one whose key cannot be decrypted now. Then reading throws, and nothing is deleted.
    private async Task<bool> IsQuietAsync(
        OnDemandName name, List<ManagedCertificate> own, OnDemandSpecification demand, CancellationToken cancellationToken)
    {
        var hasCertificate = false;
        foreach (var certificate in own)
        {
            hasCertificate |= await store.ReadCertificateAsync(certificate.Id, cancellationToken) is not null;
        }

        var now = time.GetUtcNow();
        return await names.ReadAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken) is { } stored
            && QuietPolicy.MayGo(stored, certificates.LastVisit(name, now), hasCertificate, demand.ForgetAfter, now);
    }
}

/// <summary>
/// Decides when a name that nobody asks for is forgotten: some weeks after the time, and only if as many daily rounds found that, because
/// the wall clock may jump. Pure.
/// </summary>
internal static class QuietPolicy
{
    // Without a certificate there is little to lose.
    private static readonly TimeSpan ForgetWithout = TimeSpan.FromDays(7);

    /// <summary>Returns the mark of a name after another round.</summary>
    public static UnusedMark? Mark(
        OnDemandRecord record, DateTimeOffset? visit, bool hasCertificate, TimeSpan forgetAfter, DateTimeOffset now)
        => IsQuiet(record, visit, hasCertificate, forgetAfter, now) ? GracePolicy.Mark(record.Quiet, now)

            // Not removed: an instance whose clock is ahead would write another one with each round.
            : record.Quiet is { Rounds: > 0 } mark ? mark with { Rounds = 0 }
            : record.Quiet;

    /// <summary>Whether a name may be forgotten.</summary>
    public static bool MayGo(OnDemandRecord record, DateTimeOffset? visit, bool hasCertificate, TimeSpan forgetAfter, DateTimeOffset now)
        => IsQuiet(record, visit, hasCertificate, forgetAfter, now) && record.Quiet is { } mark && GracePolicy.MayGo(mark, now);

    private static bool IsQuiet(
        OnDemandRecord record, DateTimeOffset? visit, bool hasCertificate, TimeSpan forgetAfter, DateTimeOffset now)
        => now - (visit > record.LastAsked ? visit.Value : record.LastAsked)
            > (hasCertificate || forgetAfter < ForgetWithout ? forgetAfter : ForgetWithout);
}
