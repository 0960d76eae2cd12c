using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>
/// One attempt at one certificate: takes the lease, reads the store again because another instance may have been faster, runs the order,
/// and commits the certificate or counts the failure.
/// </summary>
internal sealed class OrderRunner(
    OrderFlow flow,
    OrderLimits limits,
    CertificateLeases leases,
    CertificateCommitter committer,
    OrderProgress progress,
    FailureRecorder failures,
    IssuanceSettings settings,
    TimeProvider time)
{
    /// <returns>What is known about the next attempt.</returns>
    public async Task<AttemptEnd> RunAsync(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        ConfigurationSnapshot configuration,
        CancellationToken stopping,
        CancellationToken abort)
    {
        var (asked, before) = (certificate.Request, certificate.Current);
        var attempted = new AttemptedOrder(certificate.Specification, authority, configuration);
        CertificateStateWriter? writer = null;
        using var activity = progress.Begin(certificate, authority.Specification);
        try
        {
            writer = await TryOpenAsync(certificate, stopping, abort);
            if (writer is null)
            {
                progress.OrderedElsewhere(certificate);
                activity.SetOutcome("elsewhere");
                return AttemptEnd.Elsewhere;
            }

            var end = await OrderAsync(certificate, authority, configuration, writer, activity, stopping, abort);
            certificate.LostLease = false;
            return end;
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            activity.SetEnded(Outcomes.Stopped);
            if (certificate is { State.IsUnfinished: true, IsStateUnstored: false })
            {
                certificate.Answer(new InvalidOperationException("The host is stopping; the order is finished at the next start."));
            }

            // A request whose order was not begun, or could not be stored, is stored and answered at the end of the stop, with all others.
        }
        catch (LeaseLostException)
            when (!abort.IsCancellationRequested && !certificate.LostLease && ReferenceEquals(certificate.Current, before))
        {
            // Nothing failed. The next holder of the lease, this instance or another, continues with what is stored.
            certificate.LostLease = true;
            progress.LeaseLost(certificate);
            activity.SetOutcome("elsewhere");
            return new AttemptEnd(time.GetUtcNow() + settings.LeasePoll);
        }
        catch (Exception exception) when (exception is OrderOvertakenException or LeaseLostException
            && !ReferenceEquals(certificate.Current, before))
        {
            // Another instance finished it, and its certificate was adopted meanwhile: nothing failed.
            activity.SetOutcome("elsewhere");
            certificate.Answer(failure: null);
        }
        catch (AccountBlockedException blocked) when (failures.HasAnother(certificate, authority))
        {
            // The requests that wait are not answered with it: the next authority takes over at once.
            var failure = await failures.RecordAsync(certificate, attempted, blocked, writer, isForced: false, abort);
            activity.SetFailed(blocked, failure.Cause.ToString(), failure.ProblemType, failure.Message);
            return new AttemptEnd(time.GetUtcNow());
        }
        catch (Exception exception)
        {
            // Without the lease nothing was begun that a later request could have joined: that one gets an attempt of its own.
            certificate.FailedHere = true;
            var request = writer is null ? certificate.TakeRequest(asked) : certificate.TakeRequest();
            try
            {
                // Recorded while the lease is held: no other instance begins before the failure is written down.
                var isForced = request is { IsForced: true };
                var failure = await failures.RecordAsync(certificate, attempted, exception, writer, isForced, abort);
                activity.SetFailed(exception, failure.Cause.ToString(), failure.ProblemType, failure.Message);
                request?.Complete(new CertificateException(certificate.Id, failure.ToPublic(), exception));
            }
            catch
            {
                certificate.PutBack(request);
                throw;
            }
        }
        finally
        {
            if (writer is not null)
            {
                await writer.DisposeAsync();
            }
        }

        return AttemptEnd.Done;
    }

    private async Task<CertificateStateWriter?> TryOpenAsync(
        ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        using var step = OrderActivities.StartStep(OrderActivities.AcquireLease);
        var writer = await leases.TryOpenForOrderAsync(certificate, stopping, abort);
        step.Done();
        return writer;
    }

    private async Task<AttemptEnd> OrderAsync(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        ConfigurationSnapshot configuration,
        CertificateStateWriter writer,
        OrderActivity activity,
        CancellationToken stopping,
        CancellationToken abort)
    {
        var longest = LongestTime(certificate.Specification, configuration);
        using var limit = new TimeLimit(longest, time);
        using var all = CancellationTokenSource.CreateLinkedTokenSource(abort, limit.Token, writer.Lease.Lost);
        try
        {
            await ReadStoreAsync(certificate, writer, all.Token);
            if (!CertificatePlans.IsDue(certificate, time.GetUtcNow()) && certificate.AnswerUnlessForced(failure: null))
            {
                activity.SetOutcome("not_due");
                return AttemptEnd.Done;
            }

            StoredOrders.ThrowIfOutcomeUnknown(writer.State);
            limits.ThrowIfReached(certificate, authority.Specification);
            limits.ThrowIfTooManyFailed(certificate, authority.Specification);
            if (await limits.TakeTurnAsync(certificate, authority.Specification, all.Token) is { } turn)
            {
                activity.SetOutcome("held_back");
                return new AttemptEnd(turn.At);
            }

            var isRenewal = certificate.Current is not null;
            await writer.EnterAsync(isRenewal ? CertificateState.Renewing : CertificateState.Ordering, time.GetUtcNow(), all.Token);
            progress.Started(certificate, authority.Specification);
            var context = Context(certificate, authority, configuration, writer, stopping);
            var record = await flow.RunAsync(context, all.Token);
            if (context.RecordsEnd is { } recordsEnd)
            {
                writer.NoteRecordsEnd(recordsEnd);
            }

            await CommitAsync(certificate, authority, record, writer, isRenewal, all.Token);
            activity.SetEnded(Outcomes.Obtained);
            return AttemptEnd.Done;
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested && !abort.IsCancellationRequested)
        {
            throw new TimeoutException($"The order was not finished within {longest.TotalMinutes:0} minutes.");
        }
        catch (OperationCanceledException) when (writer.Lease.Lost.IsCancellationRequested && !abort.IsCancellationRequested)
        {
            throw new LeaseLostException(writer.Lease.Name);
        }
    }

    // An operator may allow DNS more time than an order usually takes.
    private TimeSpan LongestTime(CertificateSpecification certificate, ConfigurationSnapshot configuration)
        => configuration.DnsProviders.Count > 0 && SettingsFingerprint.UsesDnsProvider(certificate)
            ? settings.OrderTime + configuration.DnsProviders.Max(p => p.PropagationTimeout + p.MinimumWait)
            : settings.OrderTime;

    // Another instance may have been faster.
    private async Task ReadStoreAsync(ManagedCertificate certificate, CertificateStateWriter writer, CancellationToken cancellationToken)
    {
        using var step = OrderActivities.StartStep(OrderActivities.ReadStore);
        await committer.TakeOverAsync(certificate, writer, cancellationToken);
        step.Done();
    }

    private OrderContext Context(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        ConfigurationSnapshot configuration,
        CertificateStateWriter writer,
        CancellationToken stopping) => new()
        {
            Certificate = certificate,
            Specification = certificate.Specification,
            Authority = authority,
            TermsAccepted = configuration.AcceptTermsOfService,
            Current = certificate.Current?.Record,
            ReuseKey = configuration.ReuseKeys && certificate.State is { Revocation: null, KeyRefused: false },
            IsForced = certificate.Request is { IsForced: true },
            ThrowIfLimited = () => limits.ThrowIfReached(certificate, authority.Specification, isNew: true),
            IsTaken = url => limits.IsTaken(certificate, url),
            Writer = writer,
            Stopping = stopping,
        };

    private async Task CommitAsync(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        CertificateRecord record,
        CertificateStateWriter writer,
        bool isRenewal,
        CancellationToken cancellationToken)
    {
        writer.RequirePending();
        var request = certificate.TakeRequest();
        try
        {
            await committer.CommitAsync(certificate, record, writer, cancellationToken);
            await (certificate.Unsaved
                ? writer.FinishUnsavedAsync(time.GetUtcNow(), cancellationToken)
                : writer.FinishAsync(time.GetUtcNow(), cancellationToken));
            authority.Health.Succeeded();
            authority.Client.Report(succeeded: true);
            (certificate.Looks, certificate.Unstored) = (null, certificate.Unsaved ? WaitAfterUnstored(certificate) : null);
            certificate.Blocked = null;
            await authority.Blocks.LiftAsync(
                AuthorityChoice.ProfileOf(certificate.Specification, authority.Specification),
                record.Metadata.AccountUrl,
                cancellationToken);
        }
        catch
        {
            certificate.PutBack(request);
            throw;
        }

        progress.Obtained(certificate, isRenewal);
        request?.Complete(failure: null);
    }

    // Whatever has this one ordered again, such as a stored one that takes its place, must not have it ordered at once.
    private UnstoredOrders WaitAfterUnstored(ManagedCertificate certificate)
    {
        var unstored = UnstoredOrders.Next(certificate.Unstored, settings.Retries.Local, time.GetUtcNow());
        progress.NotStored(certificate, unstored.NextOrder);
        return unstored;
    }
}

/// <summary>How an attempt ended.</summary>
/// <param name="Again">When to try again although nothing was done; <see langword="null"/> if that is for the plan to say.</param>
internal sealed record AttemptEnd(DateTimeOffset? Again)
{
    /// <summary>It was made, or is no longer needed.</summary>
    public static AttemptEnd Done { get; } = new((DateTimeOffset?)null);

    /// <summary>Another instance, or other work of this one, holds the lease.</summary>
    public static AttemptEnd Elsewhere { get; } = new((DateTimeOffset?)null) { IsElsewhere = true };

    public bool IsElsewhere { get; private init; }
}
