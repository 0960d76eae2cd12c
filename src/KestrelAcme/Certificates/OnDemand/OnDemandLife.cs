using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
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

    // Without a certificate there is nothing to lose.
    private static readonly TimeSpan ForgetWithout = TimeSpan.FromDays(7);

    /// <summary>Looks at all names once.</summary>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        if (configuration.Current.OnDemand is not { } demand)
        {
            return;
        }

        var all = names.All.ToList();
        foreach (var name in all.Where(name => name.Names.Any(certificates.IsConfigured)))
        {
            certificates.Drop(name);
        }

        await Parallel.ForEachAsync(
            all.Where(name => !name.Names.Any(certificates.IsConfigured)),
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

        await ForgetAsync(known, waits: true, cancellationToken);
        return true;
    }

    private async Task LookAtAsync(OnDemandName name, OnDemandSpecification demand, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (LastVisit(name) is { } visit && visit - name.Record.LastAsked >= VisitInterval)
        {
            await NoteVisitAsync(name, visit, cancellationToken);
        }

        var hasCertificate = certificates.HasCertificate(name);
        if (now - name.Record.LastAsked > (hasCertificate ? demand.ForgetAfter : Shorter(ForgetWithout, demand.ForgetAfter)))
        {
            await ForgetUnlessVisitedAsync(name, demand, cancellationToken);
        }
        else if (hasCertificate && certificates.LastUsed(name) > name.Asked
            && (name.Asked == 0 || time.GetElapsedTime(name.Asked) > LongestPermission))
        {
            await issuance.CheckAsync(name, cancellationToken);
        }
    }

    private DateTimeOffset? LastVisit(OnDemandName name)
    {
        var used = certificates.LastUsed(name);
        return used == 0 ? null : time.GetUtcNow() - time.GetElapsedTime(used);
    }

    private async Task NoteVisitAsync(OnDemandName name, DateTimeOffset visit, CancellationToken cancellationToken)
    {
        var identifier = OnDemandNames.Parse(name.Record.Name)!;
        if (await names.ReadAsync(identifier, cancellationToken) is { } stored)
        {
            name.Record = stored with { LastAsked = visit > stored.LastAsked ? visit : stored.LastAsked };
            await names.WriteAsync(identifier, name.Record, lease: null, cancellationToken);
        }
    }

    private async Task ForgetUnlessVisitedAsync(OnDemandName name, OnDemandSpecification demand, CancellationToken cancellationToken)
    {
        if (await names.ReadAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken) is { } stored
            && stored.LastAsked > name.Record.LastAsked)
        {
            name.Record = stored;
            if (time.GetUtcNow() - stored.LastAsked <= demand.ForgetAfter)
            {
                return;
            }
        }

        await ForgetAsync(name, waits: false, cancellationToken);
    }

    // The lease of its orders: none is under way, here or elsewhere. The record goes first, so that other instances do not write back what
    // they still serve.
    private async Task ForgetAsync(OnDemandName name, bool waits, CancellationToken cancellationToken)
    {
        foreach (var certificate in certificates.Find(name))
        {
            if (!certificate.Specification.IsOnDemand)
            {
                // It is configured by now: its files are not those of the name on demand.
                continue;
            }

            await using var writer = waits
                ? await leases.OpenAsync(certificate, cancellationToken)
                : await leases.TryOpenAsync(certificate, cancellationToken);
            if (writer is null)
            {
                return;
            }

            await names.DeleteAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken);
            certificates.Drop(name);
            await store.DeleteAsync(certificate.Id, writer.Lease, cancellationToken);
        }

        await names.DeleteAsync(OnDemandNames.Parse(name.Record.Name)!, cancellationToken);
        certificates.Drop(name);
        logger.OnDemandNameForgotten(Quoted.Name(name.Record.Name));
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
