using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>Gets the missing certificates of a name on demand: this instance orders them, or waits for another one that does.</summary>
internal sealed class OnDemandOrders(
    CertificateCatalog catalog, CertificateAgenda agenda, IssuanceStatus issuance, ConfigurationSource configuration, TimeProvider time)
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(10);

    // Another instance orders a name whose client it has, or takes the order over a minute later.
    private static readonly TimeSpan OthersTime = TimeSpan.FromMinutes(2);

    // The order goes on after that. The next client waits for it again.
    private static readonly TimeSpan LongestOrder = TimeSpan.FromMinutes(10);

    /// <summary>Returns why this instance orders nothing. Waits for the start, if that has to be found out.</summary>
    /// <returns><see langword="null"/> if it orders.</returns>
    public async Task<string?> WhyNothingIsOrderedAsync(CancellationToken stopping)
    {
        if (configuration.Current.Issuance == IssuanceMode.ServeOnly)
        {
            return IssuanceGate.ServesOnly;
        }

        for (var started = time.GetTimestamp(); !issuance.IsKnown && time.GetElapsedTime(started) < LongestStart;)
        {
            await Task.Delay(Poll, time, stopping);
        }

        return issuance.IsKnown ? issuance.ReasonNotToOrder : null;
    }

    /// <summary>Whether one of the certificates has not expired.</summary>
    public bool IsAnyValid(List<ManagedCertificate> certificates)
    {
        var now = time.GetUtcNow();
        return certificates.Exists(c => c.Current?.NotAfter > now);
    }

    /// <summary>Waits for the first of the certificates, as long as somebody can be expected to order it.</summary>
    public async Task ObtainAsync(OnDemandName name, List<ManagedCertificate> certificates, CancellationToken stopping)
        => await (await WhyNothingIsOrderedAsync(stopping) is null
            ? OrderAsync(certificates, stopping)
            : AwaitOthersAsync(name, certificates, stopping));

    // Clients that come later do not wait: there may be no instance that orders. The name is served as soon as the store has a certificate.
    private async Task AwaitOthersAsync(OnDemandName name, List<ManagedCertificate> certificates, CancellationToken stopping)
    {
        while (!IsAnyValid(certificates)
            && time.GetElapsedTime(name.Learned) < OthersTime
            && !HasFailed(certificates) && certificates.TrueForAll(IsManaged))
        {
            await Task.Delay(Poll, time, stopping);
        }
    }

    private bool HasFailed(List<ManagedCertificate> certificates)
    {
        var now = time.GetUtcNow();
        return certificates.TrueForAll(c => c.Failure?.NextAttempt > now);
    }

    private async Task OrderAsync(List<ManagedCertificate> certificates, CancellationToken stopping)
    {
        if (issuance.ReasonNotToOrder is not null || HasFailed(certificates))
        {
            return;
        }

        var waiting = certificates.ConvertAll(certificate =>
        {
            var request = certificate.Ask(force: false);
            if (IsManaged(certificate))
            {
                agenda.OrderNow(certificate);
            }
            else
            {
                // It was forgotten meanwhile: nobody would respond.
                certificate.Answer(new InvalidOperationException($"{certificate.Id} is no longer managed."));
            }

            return request.Outcome;
        });
        using var limit = new TimeLimit(LongestOrder, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stopping, limit.Token);
        try
        {
            while (waiting.Count > 0 && !IsAnyValid(certificates))
            {
                waiting.Remove(await Task.WhenAny(waiting).WaitAsync(both.Token));
            }
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // The name is asked for again by the next client.
        }
    }

    private bool IsManaged(ManagedCertificate certificate) => ReferenceEquals(catalog.Find(certificate.Id), certificate);
}
