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

/// <summary>
/// Revokes the current certificate with the account or, if the CA no longer knows the account, with the key of the certificate.
/// </summary>
internal sealed class CertificateRevoker(
    AuthorityRegistry authorities, CertificateLeases leases, CertificateStore store, CertificateEventHub events,
    ConfigurationSource configuration, TimeProvider time, ILogger<CertificateRevoker> logger)
{
    /// <summary>
    /// Revokes at once: a compromised key is revoked whether or not an order is in progress, and whether or not the store is available.
    /// </summary>
    /// <returns>Whether a new certificate must be ordered at once.</returns>
    /// <exception cref="InvalidOperationException">There is nothing to revoke, or its CA is no longer configured.</exception>
    /// <exception cref="AcmeException">The CA refused, or could not be reached.</exception>
    public async Task<bool> RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
        var current = certificate.Current ?? throw new InvalidOperationException(
            $"There is no certificate for {certificate.Id} to revoke.");
        await using var writer = await TryOpenAsync(certificate, cancellationToken);
        await RevokeAsync(certificate, current, reason, cancellationToken);

        // Set at once, so that renewal information of the CA is ignored until the state is stored.
        CertificateStateWriter.ChangeUnstored(certificate, state => Revoked(state, current, reason));
        try
        {
            current = await RecordAsync(certificate, current, reason, writer, cancellationToken);
        }
        catch (Exception exception)
        {
            // The certificate is revoked. The caller must see that, and a new one must be ordered. The state is stored with the next
            // change.
            logger.RevocationNotStored(certificate.Id, exception.Message);
            current = certificate.Current is { } served && reason == RevocationReason.KeyCompromise && served.HasSameKeyAs(current)
                ? served
                : current;
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
            // Asked again after the revocation, and reported then.
            return null;
        }
    }

    /// <returns>
    /// The certificate that is recorded as revoked: the current one, if an order in progress brought one with the same key.
    /// </returns>
    private async Task<CertificateSnapshot> RecordAsync(
        ManagedCertificate certificate, CertificateSnapshot revoked, RevocationReason reason, CertificateStateWriter? writer,
        CancellationToken cancellationToken)
    {
        // Without the lease, an order is in progress. The state is changed after it.
        await using var later = writer is null ? await leases.OpenAsync(certificate, cancellationToken) : null;
        if (reason == RevocationReason.KeyCompromise
            && certificate.Current is { } served && !served.IsSameAs(revoked) && served.HasSameKeyAs(revoked))
        {
            await RevokeAsync(certificate, served, reason, cancellationToken);
            await store.SetRevokedAsideAsync(certificate.Id, revoked, cancellationToken);
            revoked = served;
        }

        await (writer ?? later!).ChangeAsync(state => Revoked(state, revoked, reason), cancellationToken);
        await store.SetRevokedAsideAsync(certificate.Id, revoked, cancellationToken);
        return revoked;
    }

    // An interrupted order may use the compromised key.
    private CertificateStateRecord Revoked(CertificateStateRecord state, CertificateSnapshot revoked, RevocationReason reason)
    {
        var replace = reason == RevocationReason.KeyCompromise;
        return state with
        {
            Revocation = new RevocationRecord(revoked.SerialNumber, time.GetUtcNow(), OnPurpose: !replace, reason),
            StoredOrder = replace ? null : state.StoredOrder,
        };
    }

    private async Task RevokeAsync(
        ManagedCertificate certificate, CertificateSnapshot revoked, RevocationReason reason, CancellationToken cancellationToken)
    {
        var directory = revoked.Record.Metadata.DirectoryUrl;
        var issuer = configuration.Current.Authorities.FirstOrDefault(a => a.DirectoryUrl == directory)
            ?? throw new InvalidOperationException(
                $"The CA {directory} that issued the certificate for {certificate.Id} is no longer configured. "
                + "Add it to AcmeHttps:Authorities.");
        var authority = authorities.Get(issuer);
        try
        {
            var account = await authority.Accounts.OpenAsync(configuration.Current.AcceptTermsOfService, cancellationToken);
            await account.RevokeCertificateAsync(revoked.Record.Chain[0], reason, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // The certificate is revoked, as requested.
        }
        catch (Exception exception) when (exception is StorageUnavailableException or AccountBlockedException
            || (exception is AcmeException refusal && AccountEvidence.MayBlameAccount(refusal, isNewOrder: true)))
        {
            await RevokeByKeyAsync(authority, revoked, reason, cancellationToken);
        }
    }

    private static async Task RevokeByKeyAsync(
        CertificateAuthority authority, CertificateSnapshot revoked, RevocationReason reason, CancellationToken cancellationToken)
    {
        using var key = CertificateKeys.Read(revoked.Record.Metadata.KeyAlgorithm, revoked.Record.PrivateKey.Span);
        try
        {
            await authority.Client.RevokeCertificateAsync(revoked.Record.Chain[0], key, reason, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // The certificate is revoked, as requested.
        }
    }
}
