using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Revocation;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Protocol.Certificates;

namespace KestrelAcme.Certificates.Engine;

/// <summary>
/// What the application asks of the engine while it runs: a successor, a first certificate, a revocation, new account keys. No request
/// waits beyond the stop.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class EngineRequests(
    CertificateReconciler reconciler,
    CertificateCatalog catalog,
    CertificateAgenda agenda,
    CertificateRevoker revoker,
    CertificateLeases leases,
    AuthorityRegistry authorities,
    IssuanceStatus issuance,
    ConfigurationSource configuration)
{
    private const int MostAtOnce = 16;
    private const string Stopping = "The host is stopping; the order is made at the next start.";
    private const string StoppingUnnoted
        = "The host is stopping and orders nothing any more. Ask for the renewal again after the next start.";

    private volatile Task? _beginning;
    private volatile bool _closed;

    /// <summary>Takes requests from now on.</summary>
    /// <param name="beginning">Completes when it is known whether this instance orders.</param>
    public void Open(Task beginning) => _beginning = beginning;

    /// <summary>Refuses requests from now on. Those that wait go on waiting.</summary>
    public void Close() => _closed = true;

    /// <summary>
    /// Answers all requests that still wait, because nothing is ordered any more. Renewals that were asked for and not begun are stored
    /// first: the next process makes them.
    /// </summary>
    /// <param name="cancellationToken">Ends the attempts to store. The requests are answered all the same.</param>
    public Task AnswerAllAsync(CancellationToken cancellationToken)
        => Parallel.ForEachAsync(
            catalog.All.Where(c => c.Request is not null),
            new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce },
            async (certificate, _) => await AnswerAsync(certificate, cancellationToken));

    /// <summary>Orders a successor now and waits for the outcome.</summary>
    /// <exception cref="InvalidOperationException">This instance does not order, or not yet; the message says why.</exception>
    public Task RenewAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
        => AskAsync(certificate, force: true, cancellationToken);

    /// <summary>Waits for the attempt that is planned; throws the last failure if that is far away.</summary>
    /// <exception cref="InvalidOperationException">This instance does not order, or not yet; the message says why.</exception>
    public Task ObtainAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
        => AskAsync(certificate, force: false, cancellationToken);

    /// <summary>Revokes the served certificate; after a key compromise orders a successor at once, without waiting for it.</summary>
    public async Task RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
        await reconciler.EnsureLoadedAsync(certificate);
        if (await revoker.RevokeAsync(certificate, reason, cancellationToken) && issuance.ReasonNotToOrder is null)
        {
            agenda.OrderNow(certificate);
        }
    }

    /// <summary>
    /// Notes in the store that certificates are to be renewed, and plans that. The scheduler sets the pace, and what this process does not
    /// get to is made by the next one.
    /// </summary>
    /// <returns>How many.</returns>
    /// <exception cref="InvalidOperationException">This instance does not order, or not yet; the message says why.</exception>
    public async Task<int> RenewAllAsync(Func<ManagedCertificate, bool> filter, CancellationToken cancellationToken)
    {
        await ThrowIfNotOrderingAsync(Stopping, cancellationToken);
        var options = new ParallelOptions { MaxDegreeOfParallelism = MostAtOnce, CancellationToken = cancellationToken };
        var count = 0;
        await Parallel.ForEachAsync(catalog.All, options, async (certificate, token) =>
        {
            await reconciler.EnsureLoadedAsync(certificate);
            if (certificate.Current is not null && filter(certificate))
            {
                Interlocked.Increment(ref count);
                try
                {
                    await leases.StoreWantedRenewalAsync(certificate, token);
                }
                finally
                {
                    // Also if the store is down: this process remembers it.
                    agenda.Plan(certificate);
                }
            }
        });
        return count;
    }

    /// <summary>Lists the stored accounts at the configured authorities.</summary>
    public async Task<IReadOnlyList<RegisteredAccount>> ListAccountsAsync(CancellationToken cancellationToken)
    {
        var accounts = new List<RegisteredAccount>();
        foreach (var authority in configuration.Current.Authorities)
        {
            if (await authorities.Get(authority).Accounts.ReadStoredAsync(cancellationToken) is { Metadata.AccountUrl: { } url } account)
            {
                using var key = AccountKey.FromPem(account.PrivateKeyPem);
                accounts.Add(new RegisteredAccount(authority.DirectoryUrl, url, key.Thumbprint));
            }
        }

        return accounts;
    }

    /// <summary>Replaces the account's key at every configured authority.</summary>
    public async Task RolloverAccountKeysAsync(CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        foreach (var authority in snapshot.Authorities)
        {
            await authorities.Get(authority).Accounts.RolloverAsync(snapshot.AcceptTermsOfService, cancellationToken);
        }
    }

    private async Task AskAsync(ManagedCertificate certificate, bool force, CancellationToken cancellationToken)
    {
        await ThrowIfNotOrderingAsync(force && certificate.Current is not null ? StoppingUnnoted : Stopping, cancellationToken);
        await reconciler.EnsureLoadedAsync(certificate);
        var request = certificate.Ask(force);
        agenda.OrderNow(certificate);
        if (_closed)
        {
            // It came too late to be answered with all the others at the stop.
            await AnswerAsync(certificate, cancellationToken);
        }

        await request.Outcome.WaitAsync(cancellationToken);
    }

    private async Task ThrowIfNotOrderingAsync(string stopping, CancellationToken cancellationToken)
    {
        if (_beginning is not { } beginning)
        {
            throw new InvalidOperationException(
                "Certificates are ordered once Kestrel listens, because the CA connects to it. Ask after the application has started.");
        }

        // An application may ask as soon as it listens, before it is known whether this instance orders. A start that failed was reported.
        await beginning.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();
        if ((_closed ? stopping : issuance.ReasonNotToOrder) is { } reason)
        {
            throw new InvalidOperationException(reason);
        }
    }

    // A first certificate is ordered at the next start in any case, and an order that was begun is finished then.
    private async Task AnswerAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        var isNoted = certificate.Request is not { IsForced: true } || certificate.Current is null
            || certificate is { State.IsUnfinished: true, IsStateUnstored: false };
        try
        {
            isNoted = isNoted || await leases.WantRenewalAsync(certificate, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The store takes too long.
        }
        finally
        {
            certificate.Answer(new InvalidOperationException(isNoted ? Stopping : StoppingUnnoted));
        }
    }
}
