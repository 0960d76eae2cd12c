using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Certificates.Stored;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// The certificates of names on demand in the engine: the engine loads, orders and renews them like all others. Here they are added,
/// served, withheld and removed.
/// </summary>
internal sealed class OnDemandCertificates(
    OnDemandNames demanded, CertificateCatalog catalog, CertificateLoadGate loading, CertificateAgenda agenda, OnDemandOrders orders,
    TlsCertificateTable table, ConfigurationSource configuration, TimeProvider time)
{
    private readonly Lock _gate = new();

    // The names that are managed for another reason, computed once for each configuration.
    private volatile ConfiguredNames? _configured;

    /// <summary>Adds a name to those that this instance knows, and begins to load its certificates. Nothing is served yet.</summary>
    /// <param name="record">The name and its settings.</param>
    /// <param name="permission">Asked before each order.</param>
    /// <param name="stopping">Ends the reading.</param>
    /// <returns>The name, or why it gets no certificate.</returns>
    public (OnDemandName? Name, string? Refusal) TakeUp(
        OnDemandRecord record, Func<ManagedCertificate, CancellationToken, Task<DateTimeOffset?>> permission, CancellationToken stopping)
        => TakeUp([record], static _ => { }, permission, stopping)[0];

    /// <summary>Adds names at once, so that many cost little more than one.</summary>
    /// <param name="records">The names and their settings.</param>
    /// <param name="begin">Called with each name that was not known, before anybody else sees it.</param>
    /// <param name="permission">Asked before each order.</param>
    /// <param name="stopping">Ends the reading.</param>
    /// <returns>The names in the same order, each or why it gets no certificate.</returns>
    public IReadOnlyList<(OnDemandName? Name, string? Refusal)> TakeUp(
        IReadOnlyList<OnDemandRecord> records,
        Action<OnDemandName> begin,
        Func<ManagedCertificate, CancellationToken, Task<DateTimeOffset?>> permission,
        CancellationToken stopping)
    {
        var snapshot = configuration.Current;
        var specified = records.Select(record => Specify(record, snapshot)).ToList();
        var taken = new (OnDemandName? Name, string? Refusal)[records.Count];
        var names = new List<OnDemandName>();
        IReadOnlyList<ManagedCertificate> added;
        lock (_gate)
        {
            for (var i = 0; i < taken.Length; i++)
            {
                taken[i] = specified[i] is { Refusal: { } refusal } ? (null, refusal)
                    : (Keep(records[i], specified[i].Certificates), null);
                if (taken[i] is (null, null))
                {
                    var name = new OnDemandName(records[i], specified[i].Certificates, time.GetTimestamp());
                    begin(name);
                    Replace(name);
                    taken[i] = (name, null);
                    names.Add(name);
                }
            }

            added = catalog.AddOnDemand([.. names.SelectMany(n => n.Specifications)], permission, snapshot);
            foreach (var certificate in added)
            {
                certificate.LeftToExpire = IsLeftToExpire;
            }
        }

        _ = loading.LoadAsync(added, stopping);
        return taken;
    }

    /// <summary>Returns why this instance orders nothing; <see langword="null"/> if it orders.</summary>
    public Task<string?> WhyNothingIsOrderedAsync(CancellationToken stopping) => orders.WhyNothingIsOrderedAsync(stopping);

    /// <summary>
    /// Serves the certificates of a name that is allowed, and orders missing ones, or leaves that to another instance if this one orders
    /// nothing. Waits for the first of them.
    /// </summary>
    /// <returns>Whether one is served.</returns>
    public async Task<bool> ServeAsync(OnDemandName name, CancellationToken stopping)
    {
        var certificates = Find(name);
        await LoadAsync(name, certificates);
        certificates.ForEach(catalog.Release);
        if (name.IsDenied)
        {
            // It was denied while it was being loaded. That came before there was a certificate to withhold.
            certificates.ForEach(catalog.Withhold);
            return false;
        }

        // While it was denied, or nobody came, it was not renewed.
        if (!orders.IsAnyValid(certificates))
        {
            await orders.ObtainAsync(name, certificates, stopping);
        }

        return certificates.Exists(c => c.Current is not null);
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
        return stored.Exists(c => !c.IsWithheld);
    }

    /// <summary>Plans the orders of a name that is wanted again: the next one may be planned for much later.</summary>
    public void PlanAgain(OnDemandName name) => Find(name).ForEach(agenda.Plan);

    /// <summary>Stops serving a name.</summary>
    /// <returns>Whether it was served.</returns>
    public bool Withhold(OnDemandName name)
    {
        var served = Find(name).FindAll(c => c is { IsWithheld: false, Specification.IsOnDemand: true });
        served.ForEach(catalog.Withhold);
        return served.Exists(c => c.Current is not null);
    }

    /// <summary>Stops serving and renewing a name, and forgets it. What is wanted for another reason by now stays.</summary>
    public void Drop(OnDemandName name)
    {
        lock (_gate)
        {
            demanded.Remove(name);
            Remove(name.Specifications.Select(s => s.Id));
        }
    }

    /// <summary>Whether a certificate for the name is in memory.</summary>
    public bool HasCertificate(OnDemandName name) => Find(name).Exists(c => c.Current is not null);

    /// <summary>Whether the store may have a certificate for the name: there is one, or it is not read yet.</summary>
    public bool MayHaveCertificate(OnDemandName name) => Find(name).Exists(c => c.Current is not null || (!c.IsLoaded && !name.IsNew));

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

    /// <summary>When a client of this instance came for a name last; <see langword="null"/> if none did.</summary>
    public DateTimeOffset? LastVisit(OnDemandName name, DateTimeOffset now)
        => Math.Max(LastUsed(name), name.Visited) is not 0 and var used ? now - time.GetElapsedTime(used) : null;

    /// <summary>Whether nobody has come for a name for so long that it is not renewed any more.</summary>
    public bool IsQuiet(OnDemandName name, DateTimeOffset now)
        => configuration.Current.OnDemand is { ForgetAfter: var longest }
            && now - name.Record.LastAsked > longest && !(now - LastVisit(name, now) <= longest);

    /// <summary>When a certificate of a name was served last, as a timestamp; zero if none was.</summary>
    public long LastUsed(OnDemandName name) => name.Specifications.Max(s => table.LastUsed(s.Id));

    /// <summary>The managed certificates of a name.</summary>
    public List<ManagedCertificate> Find(OnDemandName name)
        => [.. name.Specifications.Select(s => catalog.Find(s.Id)).OfType<ManagedCertificate>()];

    /// <summary>Returns the certificates of a record, or why there are none.</summary>
    /// <remarks>
    /// Whoever decides about names on demand does not decide about the others: a certificate with one of them would be served for it.
    /// </remarks>
    public (IReadOnlyList<CertificateSpecification> Certificates, string? Refusal) Specify(
        OnDemandRecord record, ConfigurationSnapshot snapshot)
    {
        var specified = OnDemandSpecifications.Create(record, snapshot);
        return specified is { Refusal: null, Certificates: [var first, ..] }
            && first.Identifiers.FirstOrDefault(i => IsConfigured(i.Value)) is { } other
                ? ([], $"'{other.Value}' has a certificate of its own: it is configured, added at run time, or of a domain source")
                : specified;
    }

    /// <summary>Whether all certificates of a name are managed.</summary>
    public bool IsManaged(OnDemandName name) => name.Specifications.All(s => catalog.Find(s.Id) is not null);

    private bool IsLeftToExpire(ManagedCertificate certificate, DateTimeOffset now)
        => demanded.Find(certificate) is not { IsDenied: false } name || IsQuiet(name, now);

    // Returns the known name if the settings of its certificates are the same.
    private OnDemandName? Keep(OnDemandRecord record, IReadOnlyList<CertificateSpecification> specifications)
    {
        if (demanded.Find(record.Name) is { } known && known.Record.Name == record.Name
            && known.Specifications.SequenceEqual(specifications) && IsManaged(known))
        {
            known.Learn(record, time);
            return known;
        }

        return null;
    }

    // The name is known before its certificates are managed: the engine asks whether they are still wanted.
    private void Replace(OnDemandName name)
    {
        var known = demanded.Find(name.Record.Name);
        if (known?.Record.Name != name.Record.Name)
        {
            demanded.Add(name);
            return;
        }

        name.Continue(known);
        demanded.Replace(known, name);
        Remove(known.Specifications.Select(s => s.Id).Except(name.Specifications.Select(s => s.Id)));
    }

    private void Remove(IEnumerable<string> ids)
    {
        foreach (var id in catalog.RemoveOnDemand([.. ids]))
        {
            agenda.Remove(id);
        }
    }

    private async Task LoadAsync(OnDemandName name, List<ManagedCertificate> certificates)
    {
        if (certificates.Exists(c => !c.IsLoaded))
        {
            await loading.PublishAsync(name.Specifications[0].Identifiers[0].Value);
        }
    }

    private sealed record ConfiguredNames(object Of, HashSet<string> Names);
}
