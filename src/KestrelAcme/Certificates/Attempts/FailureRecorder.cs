using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Failures;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>Counts a failed attempt against its cause, sets the time of the next attempt, and stores and logs both.</summary>
internal sealed class FailureRecorder(
    AuthorityChoice authorities,
    AccountHolds holds,
    RecordWatch records,
    ConfigurationSource configuration,
    OrderProgress progress,
    IssuanceSettings settings,
    JitterSource jitter,
    TimeProvider time)
{
    /// <param name="certificate">The certificate.</param>
    /// <param name="order">What was attempted. The wanted names and the settings may have changed meanwhile: those were not tried.</param>
    /// <param name="exception">What went wrong.</param>
    /// <param name="writer">Writes the state; <see langword="null"/> without the lease.</param>
    /// <param name="isForced">Whether the application asked for the renewal, which may be due by nothing else.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<FailureRecord> RecordAsync(
        ManagedCertificate certificate,
        AttemptedOrder order,
        Exception exception,
        CertificateStateWriter? writer,
        bool isForced,
        CancellationToken cancellationToken)
    {
        var (attempted, authority) = (order.Specification, order.Authority);
        var now = time.GetUtcNow();
        authority.Client.Report(succeeded: false);
        if (exception is AccountBlockedException blocked)
        {
            return await RecordBlockedAsync(certificate, authority, blocked, writer, cancellationToken);
        }

        var report = FailureClassifier.Classify(exception);
        var served = certificate.Current?.Facts(attempted, renewalInfoOffered: false);
        var isOutage = FailureClassifier.IsOutage(exception);
        var authorityFailures = report.Cause == FailureCause.Authority ? authority.Health.Failed(now) : 0;
        DateTimeOffset? limited = exception is AcmeRateLimitedException or AccountLimitedException
            ? now + FailurePolicy.Outage(report, authorityFailures, settings.Retries)
            : null;
        if (isOutage)
        {
            // By the wait for the CA. The wait for the name may be a day, and concerns no other name.
            var until = now + FailurePolicy.Outage(report, authorityFailures, settings.Retries, served, now);
            await LeaveAloneAsync(authority, limited, until, now, cancellationToken);
        }
        else if (exception is AcmeRateLimitedException { Problem.Subproblems.Count: 0 } refused)
        {
            await HoldAccountAsync(certificate, authority, refused, now, cancellationToken);
        }

        var counted = Count(certificate.State, report, authority, limited);
        if (exception is OrderForbiddenException)
        {
            // This CA does not issue for these names, as if it had failed: another CA may.
            counted = Avoid(counted, authority);
            report = report with { RetryAfter = settings.Retries.Operator };
        }

        var hasNext = authorities.ForOrder(certificate, counted, configuration.Current, now) is { } next && next != authority
            && AuthorityChoice.Blocked(next, certificate) is null && AuthorityChoice.RetryAfter(next, certificate, counted, now) is null;
        if (report.RetryAfter is not null && hasNext)
        {
            // Only this CA asked for the wait; the next order goes to another one.
            report = report with { RetryAfter = exception is OrderForbiddenException ? TimeSpan.Zero : null };
        }

        var validations = FailedValidationPolicy.Add(certificate.State.FailedValidations, now, FailedValidations(exception, attempted));
        var ownFailures = counted.AuthorityFailures?.GetValueOrDefault(authority.Specification.Id) ?? 0;
        var run = new FailureRun(authorityFailures, ownFailures, validations);
        var failure = FailurePolicy.Next(certificate.State.Failure, report, run, served, settings.Retries, now, jitter()) with
        {
            Settings = SettingsFingerprint.Of(attempted, authority.Specification, order.Configuration.DnsProviders),
            WasOutage = isOutage,
        };
        if (isOutage && hasNext && certificate.Failure is not { Cause: FailureCause.Name or FailureCause.Operator })
        {
            // The next order goes to a CA that works, as far as is known.
            failure = failure with { NextAttempt = now };
        }

        failure = await records.NoteAsync(certificate, attempted, failure, cancellationToken);
        var isWanted = certificate.Current is not null && (isForced || (writer?.WasUnfinished ?? certificate.State.IsUnfinished));
        CertificateStateRecord CountAuthority(CertificateStateRecord state)
            => exception is OrderForbiddenException ? Avoid(state, authority) : Count(state, report, authority, limited);
        CertificateStateRecord Fail(CertificateStateRecord state) => CountAuthority(state) with
        {
            State = report.Cause == FailureCause.Operator ? CertificateState.Blocked
                : report.Cause == FailureCause.Local && isWanted ? CertificateState.RenewalDue
                : CertificateState.Waiting,
            Since = now,
            Failure = failure,
            FailedValidations = validations,
            StoredOrder = StoredOrders.Counted(state.StoredOrder),
            KeyRefused = state.KeyRefused || StoredOrders.RefusesKey(exception),
            Rehearse = state.Rehearse || (exception is OrderFailedException && authority.Specification.StagingTwin is not null),
            CutOff = exception is OrderOutcomeUnknownException or OrderFailedException { LeftBehind: true },
            FailedChallengeTypes = Remember(state.FailedChallengeTypes, (exception as OrderFailedException)?.ChallengeType, certificate),
        };

        await ChangeAsync(certificate, writer, Fail, cancellationToken);
        progress.Failed(certificate, failure, exception);
        return failure;
    }

    /// <summary>Whether another CA takes over from one that refuses the account or the profile.</summary>
    public bool HasAnother(ManagedCertificate certificate, CertificateAuthority refusing)
    {
        var now = time.GetUtcNow();
        return authorities.ForOrder(certificate, certificate.State, configuration.Current, now) is { } next && next != refusing
            && AuthorityChoice.Blocked(next, certificate) is null
            && AuthorityChoice.RetryAfter(next, certificate, certificate.State, now) is null;
    }

    /// <summary>
    /// The CA refuses the account or the profile. That is no failure of the names, and their histories stay as they are. The certificates
    /// show it as long as it lasts, and are ordered as soon as it is over.
    /// </summary>
    private async Task<FailureRecord> RecordBlockedAsync(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        AccountBlockedException blocked,
        CertificateStateWriter? writer,
        CancellationToken cancellationToken)
    {
        authority.Client.Report(succeeded: false);

        // Nothing was ordered. An intent without an order would count as a crash.
        static CertificateStateRecord Forget(CertificateStateRecord state)
            => state.StoredOrder is { OrderUrl: null } ? state with { StoredOrder = null } : state;
        await ChangeAsync(certificate, writer, Forget, cancellationToken);
        return ShowBlocked(certificate, authority, blocked.Block, blocked);
    }

    /// <summary>Has a certificate show that it waits for the account or the profile, and says so once.</summary>
    public FailureRecord ShowBlocked(
        ManagedCertificate certificate, CertificateAuthority authority, AccountBlock block, Exception? exception = null)
    {
        var profile = AuthorityChoice.ProfileOf(certificate.Specification, authority.Specification);
        var known = certificate.Blocked;
        certificate.Blocked = () => authority.Blocks.Find(profile);
        var failure = block.ToFailure(certificate.State.Failure?.Count ?? 0);
        progress.Blocked(certificate, failure, exception, isNew: known?.Invoke() is null);
        return failure;
    }

    // Counts as many failures as it takes to order from the next CA.
    private static CertificateStateRecord Avoid(CertificateStateRecord state, CertificateAuthority authority)
        => state with { AuthorityFailures = With(state.AuthorityFailures, authority.Specification.Id, FailoverPolicy.DefaultFailures) };

    // A name and its wildcard are validated separately, and counted together.
    private static int FailedValidations(Exception exception, CertificateSpecification attempted)
        => exception is OrderFailedException ? attempted.Identifiers.CountBy(i => i.BaseValue).Max(n => n.Value) : 0;

    // After all of them have failed, the configured order counts again.
    private static IReadOnlyList<string>? Remember(IReadOnlyList<string>? failed, string? type, ManagedCertificate certificate)
    {
        if (type is null || failed?.Contains(type) == true)
        {
            return failed;
        }

        IReadOnlyList<string> all = [.. failed ?? [], type];
        return certificate.Specification.ChallengeTypes.All(all.Contains) ? null : all;
    }

    private static CertificateStateRecord Count(
        CertificateStateRecord state, FailureReport report, CertificateAuthority authority, DateTimeOffset? limited)
    {
        var id = authority.Specification.Id;
        return report.Cause != FailureCause.Authority ? state : state with
        {
            AuthorityFailures = With(state.AuthorityFailures, id, (state.AuthorityFailures?.GetValueOrDefault(id) ?? 0) + 1),
            HeldUntil = limited is { } until ? With(state.HeldUntil, id, until) : state.HeldUntil,
        };
    }

    private static Dictionary<string, T> With<T>(IReadOnlyDictionary<string, T>? known, string id, T value)
        => new(known ?? new Dictionary<string, T>(), StringComparer.Ordinal) { [id] = value };

    // A rate limit concerns all instances; an outage may be over for the next request.
    private Task LeaveAloneAsync(
        CertificateAuthority authority,
        DateTimeOffset? limited,
        DateTimeOffset until,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        if (limited is not null)
        {
            return holds.HoldAsync(authority, until, cancellationToken);
        }

        authority.Health.OpenFor(until, now, isOutage: true);
        return Task.CompletedTask;
    }

    private async Task HoldAccountAsync(
        ManagedCertificate certificate,
        CertificateAuthority authority,
        AcmeRateLimitedException refused,
        DateTimeOffset now,
        CancellationToken cancellationToken)
    {
        var isProven = certificate is { Current: not null, State.Failure: null };
        var family = RateLimitPolicy.FamilyOf(certificate.Specification.Identifiers[0]);
        if (authority.Health.Limited(family, isProven, refused.RetryAfter, now) is { } until)
        {
            await holds.HoldNewNamesAsync(authority, until, cancellationToken);
        }
    }

    // Without the lease the failure is remembered here, and the next attempt writes it down; so it is if the lease was lost.
    private async Task ChangeAsync(
        ManagedCertificate certificate,
        CertificateStateWriter? writer,
        Func<CertificateStateRecord, CertificateStateRecord> change,
        CancellationToken cancellationToken)
    {
        if (writer is null)
        {
            CertificateStateWriter.ChangeUnstored(certificate, change);
            return;
        }

        try
        {
            await writer.ChangeAsync(change, cancellationToken);
        }
        catch (Exception exception) when (exception is LeaseLostException or OperationCanceledException)
        {
            progress.StateNotStored(certificate, exception);
        }
    }
}

/// <summary>What an attempt ordered, from which CA, under which settings.</summary>
internal sealed record AttemptedOrder(
    CertificateSpecification Specification, CertificateAuthority Authority, ConfigurationSnapshot Configuration);
