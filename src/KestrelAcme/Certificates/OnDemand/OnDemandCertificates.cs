using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// The certificates of names on demand in the engine: the engine loads, orders and renews them like all others. Here they are added,
/// served, withheld and removed.
/// </summary>
internal sealed class OnDemandCertificates(
    OnDemandNames names, CertificateCatalog catalog, CertificateLoadGate loading, CertificateAgenda agenda, IssuanceStatus issuance,
    TlsCertificateTable table, ConfigurationSource configuration, TimeProvider time)
{
    private static readonly TimeSpan StartPoll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(10);

    private readonly Lock _gate = new();

    // The names that are managed for another reason, computed once for each state of the catalog.
    private volatile ConfiguredNames? _configured;

    /// <summary>Adds a name to those that this instance knows, and begins to load its certificates. Nothing is served yet.</summary>
    /// <param name="record">The name and its settings.</param>
    /// <param name="permission">Asked before each order.</param>
    /// <param name="stopping">Ends the reading.</param>
    /// <param name="decision">The decision of a permission that was asked just now.</param>
    /// <returns>The name, or why it gets no certificate.</returns>
    public (OnDemandName? Name, string? Refusal) TakeUp(
        OnDemandRecord record,
        Func<ManagedCertificate, CancellationToken, Task<DateTimeOffset?>> permission,
        CancellationToken stopping,
        IssuanceDecision? decision = null)
    {
        var snapshot = configuration.Current;
        var (specifications, refusal) = Specify(record, snapshot);
        if (refusal is not null)
        {
            return (null, refusal);
        }

        IReadOnlyList<ManagedCertificate> added;
        OnDemandName name;
        lock (_gate)
        {
            if (names.Find(record.Name) is { } known)
            {
                if (known.Specifications.SequenceEqual(specifications))
                {
                    known.Record = record;
                    Note(known, decision);
                    return (known, null);
                }

                var gone = known.Specifications.Select(s => s.Id).Except(specifications.Select(s => s.Id)).ToList();
                names.Remove(known);
                catalog.RemoveOnDemand(gone);
                gone.ForEach(agenda.Remove);
            }

            name = new OnDemandName(record, specifications, time.GetTimestamp());
            Note(name, decision);
            names.Add(name);
            added = catalog.AddOnDemand(specifications, snapshot);
            foreach (var certificate in added)
            {
                certificate.Permission = permission;
            }
        }

        _ = loading.LoadAsync(added, stopping);
        return (name, null);
    }

    /// <summary>Serves the certificates of a name that is allowed, and orders missing ones. Waits for the first of them.</summary>
    /// <returns>Whether one is served.</returns>
    public async Task<bool> ServeAsync(OnDemandName name, CancellationToken stopping)
    {
        var certificates = Find(name);
        await LoadAsync(name, certificates);
        certificates.ForEach(catalog.Release);
        return certificates.Exists(c => c.Current is not null) || await OrderAsync(certificates, stopping);
    }

    /// <summary>Serves what is stored for a name, and orders nothing.</summary>
    /// <returns>Whether something is.</returns>
    public async Task<bool> ServeStoredAsync(OnDemandName name)
    {
        var certificates = Find(name);
        await LoadAsync(name, certificates);
        var now = time.GetUtcNow();
        var stored = certificates.FindAll(c => c.Current?.NotAfter > now);
        stored.ForEach(catalog.Release);
        return stored.Count > 0;
    }

    /// <summary>Stops serving a name.</summary>
    /// <returns>Whether it was served.</returns>
    public bool Withhold(OnDemandName name)
    {
        var served = Find(name).FindAll(c => c is { IsWithheld: false, Specification.IsOnDemand: true });
        served.ForEach(catalog.Withhold);
        return served.Exists(c => c.Current is not null);
    }

    /// <summary>Stops serving and renewing a name, and forgets it.</summary>
    public void Drop(OnDemandName name)
    {
        lock (_gate)
        {
            names.Remove(name);
            List<string> ids = [.. name.Specifications.Select(s => s.Id)];
            catalog.RemoveOnDemand(ids);
            ids.ForEach(agenda.Remove);
        }
    }

    /// <summary>Whether a certificate for the name is in memory.</summary>
    public bool HasCertificate(OnDemandName name) => Find(name).Exists(c => c.Current is not null);

    /// <summary>
    /// Whether a name is wanted for another reason by now, alone or in a group: the configuration, or names that were added at run time.
    /// </summary>
    public bool IsConfigured(string name)
    {
        var all = catalog.Applied;
        var configured = _configured;
        if (configured is null || !ReferenceEquals(configured.Of, all))
        {
            _configured = configured = new ConfiguredNames(
                all, all.SelectMany(s => s.Identifiers).Select(i => i.Value).ToHashSet(StringComparer.Ordinal));
        }

        return configured.Names.Contains(name);
    }

    /// <summary>When a certificate of a name was served last, as a timestamp; zero if none was.</summary>
    public long LastUsed(OnDemandName name) => name.Specifications.Max(s => table.LastUsed(s.Id));

    /// <summary>The managed certificates of a name.</summary>
    public List<ManagedCertificate> Find(OnDemandName name)
        => [.. name.Specifications.Select(s => catalog.Find(s.Id)).OfType<ManagedCertificate>()];

    // Whoever decides about names on demand does not decide about the others: a certificate with one of them would be served for it.
    private (IReadOnlyList<CertificateSpecification> Certificates, string? Refusal) Specify(
        OnDemandRecord record, ConfigurationSnapshot snapshot)
    {
        var specified = OnDemandSpecifications.Create(record, snapshot);
        return specified is { Refusal: null, Certificates: [var first, ..] }
            && first.Identifiers.FirstOrDefault(i => IsConfigured(i.Value)) is { } other
                ? ([], $"'{other.Value}' has a certificate of its own: it is configured, added at run time, or of a domain source")
                : specified;
    }

    private void Note(OnDemandName name, IssuanceDecision? decision)
    {
        if (decision is not null)
        {
            name.Note(decision, time.GetTimestamp());
        }
    }

    private async Task LoadAsync(OnDemandName name, List<ManagedCertificate> certificates)
    {
        if (certificates.Exists(c => !c.IsLoaded))
        {
            await loading.PublishAsync(name.Specifications[0].Identifiers[0].Value);
        }
    }

    private async Task<bool> OrderAsync(List<ManagedCertificate> certificates, CancellationToken stopping)
    {
        // A client may come before it is known whether this instance orders.
        for (var started = time.GetTimestamp(); !issuance.IsKnown && time.GetElapsedTime(started) < LongestStart;)
        {
            await Task.Delay(StartPoll, time, stopping);
        }

        var now = time.GetUtcNow();
        if (issuance.ReasonNotToOrder is not null || certificates.TrueForAll(c => c.Failure?.NextAttempt > now))
        {
            return false;
        }

        var waiting = certificates.ConvertAll(certificate =>
        {
            var request = certificate.Ask(force: false);
            agenda.OrderNow(certificate);
            return request.Outcome;
        });
        while (waiting.Count > 0 && !certificates.Exists(c => c.Current is not null))
        {
            waiting.Remove(await Task.WhenAny(waiting).WaitAsync(stopping));
        }

        return certificates.Exists(c => c.Current is not null);
    }

    private sealed record ConfiguredNames(object Of, HashSet<string> Names);
}
