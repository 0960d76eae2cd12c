using System.Net;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Decides what happens for a name that a client asked for and nobody configured: asks the permission, admits a new name within the limits,
/// and lets the engine load or order its certificate.
/// </summary>
internal sealed class OnDemandIssuance(
    OnDemandNames names, OnDemandCertificates certificates, NewNames newNames, OnDemandPermission permission, DeniedNames denied,
    ConfigurationSource configuration, TimeProvider time, ILogger<OnDemandIssuance> logger)
{
    // For connections that follow each other while there is no certificate.
    private static readonly TimeSpan FreshForClients = TimeSpan.FromSeconds(10);

    // An order begins with the permission that its first client got.
    private static readonly TimeSpan FreshForOrders = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AskDeniedAgain = TimeSpan.FromHours(6);

    // The instance whose client waits places the order. The others only take over from it.
    private static readonly TimeSpan OthersFirst = TimeSpan.FromMinutes(1);

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
        var decision = known?.IsAllowedWithin(FreshForClients, time) == true
            ? null
            : await AskAsync(name, known, client, stopping);
        if (decision is null or { IsAllowed: true })
        {
            known = decision is null ? known : await AdmitAsync(name, subject, known, decision, client, stopping);
            asked();
            known?.HasVisitor = true;
            return known is null ? OnDemandResult.Refused
                : await certificates.ServeAsync(known, stopping) ? OnDemandResult.Served
                : OnDemandResult.Missing;
        }

        asked();

        if (decision.Denial is { } duration)
        {
            denied.Denied(name, duration, decision.Reason);
            return known is not null && await DenyAsync(known) ? OnDemandResult.Served : OnDemandResult.Refused;
        }

        // The source is down: what is stored is served.
        denied.Refused(name, decision.Reason ?? "it is not known whether the name is allowed");
        if (known is null && !KnowsAll && await names.ReadAsync(subject, stopping) is { } stored)
        {
            known = TakeUp(stored, stopping).Name;
        }

        return known is { IsDenied: false } && await certificates.ServeStoredAsync(known) ? OnDemandResult.Served : OnDemandResult.Refused;
    }

    /// <summary>Takes up a name whose record is in the store.</summary>
    public (OnDemandName? Name, string? Refusal) TakeUp(OnDemandRecord record, CancellationToken stopping)
        => certificates.TakeUp(record, NextOrderAsync, stopping);

    /// <summary>Asks whether a name that is served is still allowed; stops serving it if not.</summary>
    public async Task CheckAsync(OnDemandName known, CancellationToken stopping)
    {
        var decision = await AskAsync(known.Record.Name, known, client: null, stopping);
        if (decision is { IsAllowed: false, Denial: not null })
        {
            await DenyAsync(known);
        }
    }

    private async Task<IssuanceDecision> AskAsync(string name, OnDemandName? known, IPAddress? client, CancellationToken stopping)
    {
        var decision = await permission.AskAsync(name, client, known is not null && certificates.HasCertificate(known), stopping);
        known?.Note(decision, time.GetTimestamp());
        return decision;
    }

    // Returns null if the name is over a limit, or cannot get a certificate.
    private async Task<OnDemandName?> AdmitAsync(
        string name, CertificateIdentifier subject, OnDemandName? known, IssuanceDecision decision, IPAddress? client,
        CancellationToken stopping)
    {
        var now = time.GetUtcNow();
        var record = (known?.Record ?? new OnDemandRecord { Name = subject.Value, FirstAsked = now, LastAsked = now })
            .With(decision.Certificate);
        if (known is not null && known.Record.HasSameSettingsAs(record))
        {
            return known;
        }

        var admission = known is null
            ? await newNames.AdmitAsync(subject, record, client, stopping)
            : await newNames.ChangeAsync(subject, record, stopping);
        var (taken, refusal) = admission.Record is { } admitted
            ? certificates.TakeUp(admitted, NextOrderAsync, stopping, decision)
            : (null, admission.Refusal);
        if (taken is null)
        {
            denied.Limited(name, admission.Again > TimeSpan.Zero ? admission.Again : IssuanceDecision.DefaultDenial, refusal!);
        }

        return taken;
    }

    private async Task<bool> DenyAsync(OnDemandName known)
    {
        if (configuration.Current.OnDemand is { KeepServingDenied: true })
        {
            return await certificates.ServeStoredAsync(known);
        }

        if (certificates.Withhold(known))
        {
            logger.OnDemandNameDenied(Quoted.Name(known.Record.Name));
        }

        return false;
    }

    /// <summary>Asked by the engine before each order, the first one and renewals.</summary>
    /// <returns>When to ask again; <see langword="null"/> if it may be ordered now.</returns>
    private async Task<DateTimeOffset?> NextOrderAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (configuration.Current.OnDemand is not { } demand
            || names.Find(certificate.Specification.Identifiers[0].Value) is not { } known)
        {
            return now + AskDeniedAgain;
        }

        if (certificate.Current is null && known is { HasVisitor: false, WasLearnedLater: true }
            && OthersFirst - time.GetElapsedTime(known.Learned) is { Ticks: > 0 } wait)
        {
            return now + wait;
        }

        if (known.IsAllowedWithin(FreshForOrders, time))
        {
            return null;
        }

        if (now - known.Record.LastAsked > demand.ForgetAfter)
        {
            return now + AskDeniedAgain;
        }

        var decision = await AskAsync(known.Record.Name, known, client: null, cancellationToken);
        if (decision is { IsAllowed: false, Denial: not null })
        {
            await DenyAsync(known);
        }

        return decision.IsAllowed ? null : now + (decision.Denial is null ? AskAgain : AskDeniedAgain);
    }
}

/// <summary>What became of a name that a client asked for.</summary>
internal enum OnDemandResult
{
    /// <summary>It gets no certificate: it is denied, or over a limit.</summary>
    Refused,

    /// <summary>It is allowed, but there is no certificate yet.</summary>
    Missing,

    /// <summary>It is served.</summary>
    Served,
}

/// <summary>Decides whose certificate serves a name. Pure.</summary>
internal static class OnDemandSubject
{
    /// <summary>With these, no name is refused because of its challenge.</summary>
    public static IReadOnlyCollection<string> AnyChallenge { get; } = ["http-01", "dns-01"];

    /// <returns>The name of the certificate, or why there is none.</returns>
    public static (CertificateIdentifier? Subject, string? Refusal) Of(string name, ConfigurationSnapshot snapshot)
    {
        // The permission may bring other challenge types; the rules of those apply when the certificate is specified.
        var result = DomainNameRules.Check(
            name, AnyChallenge, DomainNameRules.OnlyPublic(snapshot.Authorities), DomainNameRules.MayPreApprove(snapshot.Authorities));
        return result.IsSuccess
            ? (snapshot.OnDemand!.SubjectMapping.FirstOrDefault(wildcard => Covers(wildcard, name)) ?? result.Identifier, null)
            : (null, result.Reason);
    }

    private static bool Covers(CertificateIdentifier wildcard, string name)
        => name.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot && name.AsSpan(dot + 1).SequenceEqual(wildcard.BaseValue);
}
