using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Problems;
using KestrelAcme.Storage;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Revokes what is served, by the account or, where the authority no longer knows it, by the certificate's own key.</summary>
internal sealed class CertificateRevoker(
    AuthorityRegistry authorities, CertificateLeases leases, CertificateStore store, CertificateEventHub events, ConfigurationSource configuration, TimeProvider time, ILogger<CertificateRevoker> logger)
{
    /// <summary>Does not wait to ask the authority: a key that is known to others is revoked whether or not an order is under way, and whether or not the store can be asked.</summary>
    /// <returns>Whether a successor is to be ordered at once.</returns>
    /// <exception cref="InvalidOperationException">There is nothing to revoke, or its authority is no longer configured.</exception>
    /// <exception cref="AcmeException">The authority refused.</exception>
    public async Task<bool> RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
        var current = certificate.Current ?? throw new InvalidOperationException($"There is no certificate for {certificate.Id} to revoke.");
        await using var writer = await TryOpenAsync(certificate, cancellationToken);
        await RevokeAsync(certificate, current, reason, cancellationToken);

        // Known at once, so that nobody follows the authority's advice to replace it before it is written down.
        CertificateStateWriter.ChangeUnstored(certificate, state => Revoked(state, current, reason));
        try
        {
            current = await RecordAsync(certificate, current, reason, writer, cancellationToken);
        }
        catch (Exception exception)
        {
            // It is revoked; whoever asked must see that, and the successor must be ordered. The state is written down with the next change.
            logger.RevocationNotStored(certificate.Id, exception.Message);
            current = certificate.Current is { } served && reason == RevocationReason.KeyCompromise && served.HasSameKeyAs(current) ? served : current;
            CertificateStateWriter.ChangeUnstored(certificate, state => Revoked(state, current, reason));
        }

        logger.CertificateRevoked(certificate.Id, current.SerialNumber, reason.ToString());
        events.Publish(
            CertificateEventKind.Revoked,
            $"The certificate {current.SerialNumber} for {certificate.Id} was revoked ({reason}).",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        return reason == RevocationReason.KeyCompromise;
    }

    private async Task<CertificateStateWriter?> TryOpenAsync(ManagedCertificate certificate, CancellationToken cancellationToken)
    {
        try
        {
            return await leases.TryOpenAsync(certificate, cancellationToken);
        }
        catch (StorageUnavailableException)
        {
            // Asked again once it is revoked, and reported then.
            return null;
        }
    }

    /// <returns>The certificate that is recorded as revoked: what is served, where an order under way brought one with the same key.</returns>
    private async Task<CertificateSnapshot> RecordAsync(
        ManagedCertificate certificate, CertificateSnapshot revoked, RevocationReason reason, CertificateStateWriter? writer, CancellationToken cancellationToken)
    {
        // Without the lease, an order is under way: its state is changed after it.
        await using var later = writer is null ? await leases.OpenAsync(certificate, cancellationToken) : null;
        if (reason == RevocationReason.KeyCompromise && certificate.Current is { } served && !served.IsSameAs(revoked) && served.HasSameKeyAs(revoked))
        {
            await RevokeAsync(certificate, served, reason, cancellationToken);
            await store.SetRevokedAsideAsync(certificate.Id, revoked, cancellationToken);
            revoked = served;
        }

        await (writer ?? later!).ChangeAsync(state => Revoked(state, revoked, reason), cancellationToken);
        await store.SetRevokedAsideAsync(certificate.Id, revoked, cancellationToken);
        return revoked;
    }

    // An order that was left behind may use the key that is known to others now.
    private CertificateStateRecord Revoked(CertificateStateRecord state, CertificateSnapshot revoked, RevocationReason reason)
    {
        var replace = reason == RevocationReason.KeyCompromise;
        return state with
        {
            Revocation = new RevocationRecord(revoked.SerialNumber, time.GetUtcNow(), OnPurpose: !replace, reason),
            StoredOrder = replace ? null : state.StoredOrder,
        };
    }

    private async Task RevokeAsync(ManagedCertificate certificate, CertificateSnapshot revoked, RevocationReason reason, CancellationToken cancellationToken)
    {
        var directory = revoked.Record.Metadata.DirectoryUrl;
        var issuer = configuration.Current.Authorities.FirstOrDefault(a => a.DirectoryUrl == directory)
            ?? throw new InvalidOperationException($"The authority {directory} that issued the certificate for {certificate.Id} is no longer configured. Add it to AcmeHttps:Authorities.");
        var authority = authorities.Get(issuer);
        try
        {
            var account = await authority.Accounts.OpenAsync(configuration.Current.AcceptTermsOfService, cancellationToken);
            await account.RevokeCertificateAsync(revoked.Record.Chain[0], reason, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // That is what was wanted.
        }
        catch (Exception exception) when (exception is StorageUnavailableException or AccountBlockedException
            || (exception is AcmeException refusal && AccountEvidence.MayBlameAccount(refusal, isNewOrder: true)))
        {
            await RevokeByKeyAsync(authority, revoked, reason, cancellationToken);
        }
    }

    private static async Task RevokeByKeyAsync(CertificateAuthority authority, CertificateSnapshot revoked, RevocationReason reason, CancellationToken cancellationToken)
    {
        using var key = CertificateKeys.Read(revoked.Record.Metadata.KeyAlgorithm, revoked.Record.PrivateKey.Span);
        try
        {
            await authority.Client.RevokeCertificateAsync(revoked.Record.Chain[0], key, reason, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // That is what was wanted.
        }
    }
}
