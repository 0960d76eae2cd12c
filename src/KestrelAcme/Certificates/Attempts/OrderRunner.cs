using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// One attempt at one certificate: takes the lease, reads the store again (another instance may have been faster), runs the order flow, commits or counts the failure.
/// </summary>
internal sealed class OrderRunner(
    OrderFlow flow,
    RehearsalStep rehearsal,
    ExactSets exactSets,
    NewOrderRateLimiterStore pace,
    CertificateLeases leases,
    CertificateCommitter committer,
    CertificateStore store,
    CertificateEventHub events,
    OrderProgress progress,
    FailureRecorder failures,
    IssuanceSettings settings,
    TimeProvider time,
    ILogger<OrderRunner> logger)
{
    /// <returns>When to look again although nothing was done; <see langword="null"/> when the attempt was made or is no longer needed.</returns>
    public async Task<DateTimeOffset?> RunAsync(
        ManagedCertificate certificate, CertificateAuthority authority, ConfigurationSnapshot configuration, CancellationToken stopping, CancellationToken abort)
    {
        var (asked, attempted) = (certificate.Request, certificate.Specification);
        try
        {
            await using var open = await leases.TryOpenAsync(certificate, abort);
            if (open is null)
            {
                logger.OrderedElsewhere(certificate.Id);
                return time.GetUtcNow() + settings.LeasePoll;
            }

            return await AttemptAsync(certificate, authority, configuration, open, stopping, abort);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            certificate.Answer(new InvalidOperationException("The host is stopping; the order is finished at the next start."));
        }
        catch (Exception exception)
        {
            // The store could not be asked for the lease: nothing was begun that a later request could have joined, so that one gets an attempt of its own.
            var failure = await failures.RecordAsync(certificate, attempted, authority, exception, journal: null, abort);
            certificate.Answer(asked, new CertificateException(certificate.Id, failure, exception));
        }

        return null;
    }

    private async Task<DateTimeOffset?> AttemptAsync(
        ManagedCertificate certificate, CertificateAuthority authority, ConfigurationSnapshot configuration, OpenStateWriter open, CancellationToken stopping, CancellationToken abort)
    {
        var (attempted, before) = (certificate.Specification, certificate.Current);
        try
        {
            if (await HeldBackAsync(certificate, authority, abort) is { } until)
            {
                return until;
            }

            var request = await RunUnderLeaseAsync(certificate, authority, configuration, open, stopping, abort);
            request?.Complete(failure: null);
        }
        catch (OrderOvertakenException) when (!ReferenceEquals(certificate.Current, before))
        {
            // Another instance finished it, and its certificate was adopted meanwhile: nothing failed.
            certificate.Answer(failure: null);
        }
        catch (AccountBlockedException blocked) when (failures.HasAnother(certificate, authority))
        {
            // Nobody who waits is told of it: the next authority takes over at once.
            await failures.RecordAsync(certificate, attempted, authority, blocked, open.Journal, abort);
            return time.GetUtcNow();
        }
        catch (Exception exception) when (!(exception is OperationCanceledException && stopping.IsCancellationRequested))
        {
            // Recorded while the lease is held: nobody else begins before the failure is written down.
            var request = certificate.TakeRequest();
            var failure = await failures.RecordAsync(certificate, attempted, authority, exception, open.Journal, abort);
            request?.Complete(new CertificateException(certificate.Id, failure, exception));
        }

        return null;
    }

    // Asked for once it is certain that this instance orders, and for new sets of names only.
    private async Task<DateTimeOffset?> HeldBackAsync(ManagedCertificate certificate, CertificateAuthority authority, CancellationToken cancellationToken)
        => certificate.Current is null && authority.Specification.IsPublic && certificate.State is { Issued: null, StoredOrder: not { OrderUrl: not null } }
            && await store.ReadCertificateAsync(certificate.Id, cancellationToken) is null
            && CertificatePlans.IsDue(certificate, time.GetUtcNow())
            ? await pace.TakeAsync(cancellationToken)
            : null;

    /// <returns>The request that this attempt answers.</returns>
    private async Task<RenewalRequest?> RunUnderLeaseAsync(
        ManagedCertificate certificate, CertificateAuthority authority, ConfigurationSnapshot configuration, OpenStateWriter open, CancellationToken stopping, CancellationToken abort)
    {
        using var limit = new TimeLimit(settings.OrderTime, time);
        using var all = CancellationTokenSource.CreateLinkedTokenSource(abort, limit.Token, open.Lost);
        var journal = open.Journal;
        try
        {
            journal.Reached(OrderStep.LeaseTaken);
            if (await AdoptAsync(certificate, journal, all.Token))
            {
                return certificate.TakeRequest();
            }

            journal.Reached(OrderStep.StoreRead);
            return await OrderAsync(certificate, authority, configuration, journal, stopping, all.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !abort.IsCancellationRequested)
        {
            throw new TimeoutException($"The order was not finished within {settings.OrderTime.TotalMinutes:0} minutes.");
        }
        catch (OperationCanceledException) when (open.Lost.IsCancellationRequested && !abort.IsCancellationRequested)
        {
            throw new LeaseLostException(open.LeaseName);
        }
    }

    /// <summary>Takes over what another instance did since we looked: a newer certificate, or a failure that is to be waited out.</summary>
    private async Task<bool> AdoptAsync(ManagedCertificate certificate, CertificateStateWriter journal, CancellationToken cancellationToken)
    {
        if (await store.ReadCertificateAsync(certificate.Id, cancellationToken) is { } record
            && await store.TryReadSnapshotAsync(certificate.Id, record, cancellationToken) is { } stored
            && certificate.MayBeReplacedBy(stored, time.GetUtcNow())
            && committer.Adopt(certificate, stored))
        {
            logger.CertificateAdopted(certificate.Id, stored.SerialNumber);
        }

        if (StoredOrders.IsFinished(journal.Pending, certificate.Current))
        {
            // The crash came between storing the certificate and forgetting its order.
            await journal.FinishAsync(time.GetUtcNow(), cancellationToken);
        }

        return !CertificatePlans.IsDue(certificate, time.GetUtcNow());
    }

    private async Task<RenewalRequest?> OrderAsync(
        ManagedCertificate certificate, CertificateAuthority authority, ConfigurationSnapshot configuration, CertificateStateWriter journal, CancellationToken stopping, CancellationToken cancellationToken)
    {
        StoredOrders.ThrowIfOutcomeUnknown(journal.State);
        exactSets.ThrowIfReached(certificate, authority.Specification);
        exactSets.ThrowIfTooManyFailed(certificate, authority.Specification);
        var renewal = certificate.Current is not null;
        await journal.EnterAsync(renewal ? CertificateState.Renewing : CertificateState.Ordering, time.GetUtcNow(), cancellationToken);
        logger.OrderStarted(certificate.Id, authority.Specification.DirectoryUrl);
        progress.Started(certificate, authority.Specification);
        var context = new OrderContext
        {
            Specification = certificate.Specification,
            Authority = authority,
            TermsAccepted = configuration.AcceptTermsOfService,
            Current = certificate.Current?.Record,
            ReuseKey = configuration.ReuseKeys && certificate.State is { Revocation: null, KeyRefused: false },
            IsForced = certificate.Request is { IsForced: true },
            ThrowIfLimited = () => exactSets.ThrowIfReached(certificate, authority.Specification),
            IsTaken = url => exactSets.IsTaken(certificate, url),
            Journal = journal,
            Stopping = stopping,
        };
        await rehearsal.RunAsync(context, cancellationToken);
        var record = await flow.RunAsync(context, cancellationToken);
        journal.RequirePending();
        var request = certificate.TakeRequest();
        try
        {
            await committer.CommitAsync(certificate, record, journal, cancellationToken);
            await (certificate.Unsaved ? journal.FinishUnsavedAsync(time.GetUtcNow(), cancellationToken) : journal.FinishAsync(time.GetUtcNow(), cancellationToken));
        }
        catch
        {
            certificate.PutBack(request);
            throw;
        }

        authority.Health.Succeeded();
        authority.Client.Report(succeeded: true);
        (certificate.Looks, certificate.Unstored) = (null, certificate.Unsaved ? WaitAfterUnstored(certificate) : null);
        certificate.Blocked = null;
        await authority.Blocks.LiftAsync(AuthorityChoice.ProfileOf(certificate.Specification, authority.Specification), record.Metadata.AccountUrl, cancellationToken);
        Report(certificate, renewal);
        journal.Reached(OrderStep.StateStored);
        return request;
    }

    // Whatever has this one ordered again, such as a stored one that takes its place, must not have it ordered at once.
    private UnstoredOrders WaitAfterUnstored(ManagedCertificate certificate)
    {
        var unstored = UnstoredOrders.Next(certificate.Unstored, settings.Retries.Local, time.GetUtcNow());
        logger.NoOrderWhileUnstored(certificate.Id, unstored.NextOrder);
        return unstored;
    }

    private void Report(ManagedCertificate certificate, bool renewal)
    {
        var current = certificate.Current!;
        logger.CertificateObtained(certificate.Id, current.SerialNumber, current.NotAfter);
        events.Publish(
            renewal ? CertificateEventKind.Renewed : CertificateEventKind.Obtained,
            $"Now serving certificate {current.SerialNumber} for {certificate.Id}, valid until {current.NotAfter:u}.",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
    }
}
