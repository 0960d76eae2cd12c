using KestrelAcme.Certificates.Authorities;
using KestrelAcme.Certificates.Events;
using KestrelAcme.Certificates.Orders;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Certificates.Scheduling;
using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.Protocol.Certificates;
using KestrelAcme.Protocol.Problems;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Certificates.Revocation;

/// <summary>Revokes what is served, by the account or, where the authority no longer knows it, by the certificate's own key.</summary>
internal sealed class CertificateRevoker(
    AuthorityRegistry authorities, CertificateLeases leases, CertificateStore store, CertificateEventHub events, ConfigurationSource configuration, TimeProvider time, ILogger<CertificateRevoker> logger)
{
    /// <returns>Whether a successor is to be ordered at once.</returns>
    /// <exception cref="InvalidOperationException">There is nothing to revoke, or its authority is no longer configured.</exception>
    /// <exception cref="AcmeException">The authority refused.</exception>
    public async Task<bool> RevokeAsync(ManagedCertificate certificate, RevocationReason reason, CancellationToken cancellationToken)
    {
        var current = certificate.Current ?? throw new InvalidOperationException($"There is no certificate for {certificate.Id} to revoke.");
        var issuer = configuration.Current.Authorities.FirstOrDefault(a => a.DirectoryUrl == current.Record.Metadata.DirectoryUrl)
            ?? throw new InvalidOperationException($"The authority {current.Record.Metadata.DirectoryUrl} that issued the certificate for {certificate.Id} is no longer configured. Add it to AcmeHttps:Authorities.");

        // Not while an order is under way: its state is not ours to change.
        await using var open = await leases.OpenAsync(certificate, cancellationToken);
        await RevokeAsync(authorities.Get(issuer), current, reason, cancellationToken);

        var replace = reason == RevocationReason.KeyCompromise;
        var record = new RevocationRecord(current.SerialNumber, time.GetUtcNow(), OnPurpose: !replace, reason);

        // An order that was left behind may use the key that is known to others now.
        await open.Journal.ChangeAsync(state => state with { Revocation = record, PendingOrder = replace ? null : state.PendingOrder }, cancellationToken);
        await store.SetRevokedAsideAsync(certificate.Id, current, cancellationToken);
        logger.CertificateRevoked(certificate.Id, current.SerialNumber, reason.ToString());
        events.Publish(
            CertificateEventKind.Revoked,
            $"The certificate {current.SerialNumber} for {certificate.Id} was revoked ({reason}).",
            CertificateStatuses.Create(certificate, orders: true, time.GetUtcNow()));
        return replace;
    }

    private async Task RevokeAsync(Authority authority, CertificateSnapshot current, RevocationReason reason, CancellationToken cancellationToken)
    {
        try
        {
            var account = await authority.Accounts.OpenAsync(configuration.Current.AcceptTermsOfService, cancellationToken);
            await account.RevokeCertificateAsync(current.Record.Chain[0], reason, cancellationToken);
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.AlreadyRevoked))
        {
            // That is what was wanted.
        }
        catch (AcmeException exception) when (exception.HasProblem(AcmeProblemTypes.Unauthorized) || exception.HasProblem(AcmeProblemTypes.AccountDoesNotExist))
        {
            using var key = CertificateKeys.Read(current.Record.Metadata.KeyAlgorithm, current.Record.PrivateKey.Span);
            await authority.Client.RevokeCertificateAsync(current.Record.Chain[0], key, reason, cancellationToken);
        }
    }
}
