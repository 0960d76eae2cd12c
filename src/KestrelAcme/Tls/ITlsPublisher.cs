using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>Where certificates are pushed to be served. A handshake never asks back.</summary>
/// <remarks>Safe for concurrent use. Publishing is one write: a handshake sees what was before, or what is after.</remarks>
internal interface ITlsPublisher
{
    /// <summary>Sets the names that we answer for, with or without a certificate yet. A name that is neither here nor published is a foreign one.</summary>
    /// <param name="names">All names.</param>
    /// <param name="sole">
    /// A name of the one certificate that is wanted, which a client without a server name then gets; <see langword="null"/> if there are
    /// several.
    /// </param>
    void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null);

    /// <summary>Publishes certificates read from the store. Their contexts are made at first use.</summary>
    /// <returns>The ids that were refused, each with the reason: key and certificate that do not match, a chain out of order.</returns>
    IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials);

    /// <summary>Publishes a new certificate. Its context is made before it is published, so that no visitor pays for a renewal.</summary>
    /// <exception cref="InvalidCertificateException">The key does not match the certificate, or the chain is out of order; what was served before is still served.</exception>
    void Publish(CertificateMaterial material);

    /// <summary>
    /// Says whether a published certificate merely stands in for others: it then gives way to every valid one that covers a name. An id
    /// that is not published is none to say it of.
    /// </summary>
    void SetStandIn(string id, bool standsIn);

    /// <summary>Stops serving a certificate; connections that use it go on.</summary>
    void Withdraw(string id);

    /// <summary>Answers tls-alpn-01 (RFC 8737) for a server name, in <c>acme-tls/1</c> handshakes only. Where a name has several answers, the latest is given.</summary>
    /// <param name="serverName">The server name.</param>
    /// <param name="challenge">Tells this answer from others for the same name, such as those of another order.</param>
    /// <param name="certificate">The answer.</param>
    void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate);

    /// <summary>Takes back one answer for a server name: as often as it was presented, it must be withdrawn. Others stay.</summary>
    void WithdrawChallenge(string serverName, string challenge);
}
