using System.Net;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Decides what happens for a name that a client asked for and nobody configured: asks the permission, admits a new name within the limits,
/// and lets the engine load or order its certificate.
/// </summary>
internal sealed class OnDemandIssuance(
    OnDemandNames names, OnDemandCertificates certificates, NewNames newNames, OnDemandPermission permission, DeniedNames denied,
    OnDemandDenials denials, ConfigurationSource configuration, TimeProvider time)
{
    // For connections that follow each other while there is no certificate.
    private static readonly TimeSpan FreshForClients = TimeSpan.FromSeconds(10);

    // An order begins with the permission that its first client got.
    private static readonly TimeSpan FreshForOrders = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AskDeniedAgain = TimeSpan.FromHours(6);

    // While the source is down, connections for names without a certificate must not wait one after the other.
    private static readonly TimeSpan UnknownRetry = TimeSpan.FromSeconds(5);

    // The instance whose client waits places the order. The others only take over from it.
    private static readonly TimeSpan OthersFirst = TimeSpan.FromMinutes(1);
    private readonly DateTimeOffset _started = time.GetUtcNow();

    /// <summary>Whether all names in the store are known, so that an unknown one need not be looked up there.</summary>
    public bool KnowsAll { get; set; }

    /// <summary>Obtains and serves the certificate for a name, if that is allowed.</summary>
    /// <param name="name">The normalized name or address.</param>
    /// <param name="client">The client that waits.</param>
    /// <param name="asked">Called when it is decided whether the name is allowed and admitted.</param>
    /// <param name="stopping">Ends the waiting.</param>
    public async Task<OnDemandResult> ObtainAsync(string name, IPAddress? client, Action asked, CancellationToken stopping)
    {
        var snapshot = configuration.Current;
        var (subject, invalid) = OnDemandSubject.Of(name, snapshot);
        if (subject is null)
        {
            denied.Limited(name, IssuanceDecision.DefaultDenial, invalid!);
            return OnDemandResult.Refused;
        }

        var known = names.Find(subject.Value);
        if (known is not null && !certificates.IsManaged(known))
        {
            // It was configured, and is not any more.
            known = TakeUp(known.Record, stopping).Name;
        }

        var decision = known is { IsShared: false } && known.IsAllowedWithin(FreshForClients, time)
            ? null
            : await AskAsync(name, known, client, stopping);
        if (decision is null or { IsAllowed: true })
        {
            known = decision is null ? known : await AdmitAsync(name, subject, known, decision, client, stopping);
            asked();
            if (known is null)
            {
                return OnDemandResult.Refused;
            }

            known.Visit(time.GetTimestamp());
            if (known.Record.DeniedAt is not null)
            {
                // Its client need not wait for that.
                _ = denials.StoreAsync(known, stopping);
            }

            if (await certificates.ServeAsync(known, stopping))
            {
                return OnDemandResult.Served;
            }

            if (await certificates.WhyNothingIsOrderedAsync(stopping) is { } reason)
            {
                denied.Refused(name, $"no other instance has obtained its certificate yet, and this one orders nothing: {reason}");
            }

            return OnDemandResult.Missing;
        }

        asked();
        if (decision.Denial is { } duration)
        {
            denied.Denied(name, duration, decision.Reason);
            return known is not null && await denials.RefuseAsync(known, name, stopping) ? OnDemandResult.Served : OnDemandResult.Refused;
        }

        // The source is down: what is stored is served.
        if (known is null && !KnowsAll && await names.ReadAsync(subject, stopping) is { } stored)
        {
            known = TakeUp(stored, stopping).Name;
        }

        known?.Visit(time.GetTimestamp());
        if (known is not null && (!known.IsDenied || configuration.Current.OnDemand is { KeepServingDenied: true })
            && await certificates.ServeStoredAsync(known))
        {
            return OnDemandResult.Served;
        }

        denied.Unknown(name, UnknownRetry, decision.Reason ?? "it is not known whether the name is allowed");
        return OnDemandResult.Refused;
    }

    /// <summary>Takes up a name whose record is in the store.</summary>
    public (OnDemandName? Name, string? Refusal) TakeUp(OnDemandRecord record, CancellationToken stopping)
        => certificates.TakeUp(record, NextOrderAsync, stopping);

    /// <summary>Takes up names whose records are in the store.</summary>
    /// <param name="records">The records.</param>
    /// <param name="areLater">Whether other instances added those that are not known while this one ran.</param>
    /// <param name="stopping">Ends the reading.</param>
    public void TakeUp(IReadOnlyList<OnDemandRecord> records, bool areLater, CancellationToken stopping)
    {
        // Another instance was told that a name is denied. The next client is asked about before anything is served.
        foreach (var (known, _) in certificates.TakeUp(
            records, name => name.WasLearnedLater = areLater || name.Record.FirstAsked >= _started, NextOrderAsync, stopping))
        {
            if (known is { IsDenied: true })
            {
                denials.Withhold(known);
            }
        }
    }

    /// <summary>Asks whether a name that is served is still allowed; stops serving it if not.</summary>
    public async Task CheckAsync(OnDemandName known, CancellationToken stopping)
    {
        var decision = await AskAgainAsync(known, stopping);
        if (decision is { IsAllowed: false, Denial: not null })
        {
            await denials.DenyAsync(known, stopping);
        }
    }

    private async Task<IssuanceDecision> AskAsync(string name, OnDemandName? known, IPAddress? client, CancellationToken stopping)
    {
        var decision = await permission.AskAsync(name, client, known is not null && certificates.MayHaveCertificate(known), stopping);
        known?.Note(name, decision, time.GetTimestamp());
        return decision;
    }

    // A certificate that serves several names is wanted as long as one of them is allowed. They are asked about, and not the wildcard,
    // which the permission need not know.
    private async Task<IssuanceDecision> AskAgainAsync(OnDemandName known, CancellationToken stopping)
    {
        if (!known.IsShared)
        {
            return await AskAsync(known.Record.Name, known, client: null, stopping);
        }

        IssuanceDecision? last = null;
        foreach (var name in known.AllowedNames)
        {
            var decision = await AskAsync(name, known, client: null, stopping);
            if (decision.IsAllowed)
            {
                return decision;
            }

            last = last is { Denial: null } ? last : decision;
        }

        last ??= IssuanceDecision.Unknown("none of its names was allowed lately");
        known.Note(last, time.GetTimestamp());
        return last;
    }

    // Returns null if the name is over a limit, or cannot get a certificate.
    private async Task<OnDemandName?> AdmitAsync(
        string name, CertificateIdentifier subject, OnDemandName? known, IssuanceDecision decision, IPAddress? client,
        CancellationToken stopping)
    {
        if (known is not null && OnDemandSubject.IsServedBy(known, subject.Value, decision.Certificate))
        {
            return known;
        }

        // A name of a group that is allowed with other names gets a certificate of its own. If nothing is ordered, it keeps that one.
        var reason = await certificates.WhyNothingIsOrderedAsync(stopping);
        var own = known?.Record.Name == subject.Value ? known : null;
        var now = time.GetUtcNow();
        var record = (own?.Record ?? new OnDemandRecord { Name = subject.Value, FirstAsked = now, LastAsked = now })
            .With(decision.Certificate);
        var admission = certificates.Specify(record, configuration.Current) is { Refusal: { } invalid }
            ? new NewNameAdmission(null, invalid)
            : reason is null ? await newNames.AdmitAsync(subject, record, isChange: own is not null, client, stopping)
            : await newNames.FindAdmittedAsync(subject, stopping)
                ?? new NewNameAdmission(null, $"no other instance has admitted it, and this one orders nothing: {reason}", UnknownRetry);
        var (taken, refusal) = TakeAdmitted();
        if (taken is null && own is null && reason is null && admission is { WasStored: true })
        {
            // One of the names that it was stored with has a certificate of its own by now. What is allowed now takes its place.
            admission = await newNames.AdmitAsync(subject, record, isChange: true, client, stopping);
            (taken, refusal) = TakeAdmitted();
        }

        (OnDemandName? Name, string? Refusal) TakeAdmitted() => admission.Record is { } admitted
            ? certificates.TakeUp([admitted], Begin, NextOrderAsync, stopping)[0]
            : (null, admission.Refusal);

        // Noted before the engine sees the name, so that it need not ask again for the order.
        void Begin(OnDemandName added)
        {
            added.IsNew = !admission.WasStored;
            added.Note(name, decision, time.GetTimestamp());
        }

        if (taken is null && (reason is null ? own : known) is { } kept)
        {
            // It is allowed, but cannot get what its new settings ask for.
            denied.Refused(name, refusal!);
            return kept;
        }

        if (taken is null)
        {
            denied.Limited(name, admission.Again > TimeSpan.Zero ? admission.Again : IssuanceDecision.DefaultDenial, refusal!);
        }

        taken?.Note(name, decision, time.GetTimestamp());
        return taken;
    }

    /// <summary>Asked by the engine before each order, the first one and renewals.</summary>
    /// <returns>When to ask again; <see langword="null"/> if it may be ordered now.</returns>
    private async Task<DateTimeOffset?> NextOrderAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (configuration.Current.OnDemand is null || names.Find(certificate) is not { } known)
        {
            return now + AskDeniedAgain;
        }

        if (certificate.Current is null && known is { Visited: 0, WasLearnedLater: true }
            && OthersFirst - time.GetElapsedTime(known.Learned) is { Ticks: > 0 } wait)
        {
            return now + wait;
        }

        if (known.IsAllowedWithin(FreshForOrders, time))
        {
            return null;
        }

        if (certificates.IsQuiet(known, now))
        {
            return now + AskDeniedAgain;
        }

        var decision = await AskAgainAsync(known, cancellationToken);
        if (decision is { IsAllowed: false, Denial: not null })
        {
            await denials.DenyAsync(known, cancellationToken);
        }

        return decision.IsAllowed ? null : now + (decision.Denial is null ? AskAgain : AskDeniedAgain);
    }
}
