using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.RateLimits;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Attempts;

/// <summary>Says which authority an order that is due goes to, or when to try again because none may be asked for it now.</summary>
internal sealed class OrderAdmission(
    AuthorityChoice authorities,
    AccountHolds holds,
    Abandonment abandonment,
    FailureRecorder failures,
    CertificateLeases leases,
    ConfigurationSource configuration,
    TimeProvider time)
{
    /// <summary>Decides about an order. If it is not admitted, the requests that wait for it are told why.</summary>
    public async Task<Admission> DecideAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        var (snapshot, now, asked) = (configuration.Current, time.GetUtcNow(), certificate.Request);
        if (certificate is { Specification.IsOnDemand: true, Permission: { } ask } && await ask(certificate, abort) is { } notBefore)
        {
            // This decision does not answer a visitor who came while it was made. It is made again for that visitor.
            certificate.TakeRequest(asked)?.Complete(
                new InvalidOperationException($"Nobody allows a certificate for {certificate.Id} now."));
            return new Admission(snapshot) { Again = certificate.Request is null ? notBefore : now };
        }

        var authority = await ChooseAsync(certificate, snapshot, now, abort);
        if (AuthorityChoice.Blocked(authority, certificate) is { } block)
        {
            await RefuseAsync(certificate, failures.ShowBlocked(certificate, authority, block), now, abort);
            return new Admission(snapshot) { Again = block.NextAttempt };
        }

        if (AuthorityChoice.RetryAfter(authority, certificate, certificate.State, now) is { } until)
        {
            await RefuseAsync(certificate, LeftAlone(certificate, authority, until, now), now, abort);
            return new Admission(snapshot) { Again = until };
        }

        // A person who asks for an abandoned certificate has it taken up again.
        if (certificate.Request is not { IsForced: true } && await TryGiveUpAsync(certificate, stopping, abort))
        {
            return new Admission(snapshot);
        }

        return certificate.Current is null && authority.Health.TryBeginNewName(now) is { } later
            ? new Admission(snapshot) { Again = later }
            : new Admission(snapshot) { Authority = authority };
    }

    // The requests that wait are told that it is tried again later. For a forced one nothing else says so: it is noted before the answer,
    // so that the certificate is ordered as soon as the authority accepts it, even after a restart. The caller is told of the refusal
    // whether or not it could be stored.
    private async Task RefuseAsync(
        ManagedCertificate certificate, FailureRecord failure, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (certificate is { Request.IsForced: true, Current: not null, State.IsUnfinished: false })
        {
            await leases.WantRenewalAsync(certificate, cancellationToken);
        }

        var request = certificate.TakeRequest();
        if (request is { IsForced: true })
        {
            // It may have come, or been forced, meanwhile.
            CertificateStateWriter.WantRenewal(certificate, now);
        }

        request?.Complete(new CertificateException(certificate.Id, failure.ToPublic()));
    }

    // An authority whose account turns out to be held may give way to another one.
    private async Task<CertificateAuthority> ChooseAsync(
        ManagedCertificate certificate, ConfigurationSnapshot snapshot, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (certificate.Request is { IsForced: true })
        {
            // A person who asks may have put right what was refused.
            foreach (var specification in snapshot.Authorities)
            {
                authorities.Get(specification).Blocks.TrySoon();
            }
        }

        CertificateAuthority authority;
        do
        {
            authority = authorities.ForOrder(certificate, snapshot, now);
        }
        while (await holds.RecallAsync(authority, cancellationToken));
        return authority;
    }

    private async Task<bool> TryGiveUpAsync(ManagedCertificate certificate, CancellationToken stopping, CancellationToken abort)
    {
        try
        {
            return await abandonment.TryGiveUpAsync(certificate, stopping, abort);
        }
        catch (Exception exception) when (exception is StorageUnavailableException or LeaseLostException)
        {
            // The order finds out whether the store is there.
            return false;
        }
    }

    private static FailureRecord LeftAlone(
        ManagedCertificate certificate, CertificateAuthority authority, DateTimeOffset until, DateTimeOffset now) => new()
    {
        Count = certificate.State.Failure?.Count ?? 0,
        ProblemType = certificate.State.Failure is { Cause: FailureCause.Authority } last ? last.ProblemType : null,
        Message = $"{authority.Specification.DisplayName} failed and is not asked before {until:u}. {certificate.State.Failure?.Message}"
            .TrimEnd(),
        At = now,
        NextAttempt = until,
        Cause = FailureCause.Authority,
    };
}

/// <summary>Whether an order may be placed now.</summary>
/// <param name="Configuration">The configuration by which it was decided, and by which it is ordered.</param>
internal sealed record Admission(ConfigurationSnapshot Configuration)
{
    /// <summary>Where to order; <see langword="null"/> if nothing may be ordered.</summary>
    public CertificateAuthority? Authority { get; init; }

    /// <summary>When to try again; <see langword="null"/> if that is for the next plan to say.</summary>
    public DateTimeOffset? Again { get; init; }
}
