using System.Security.Cryptography.X509Certificates;

namespace KestrelAcme.Tls;

/// <summary>Receives the certificates to serve. Certificates are pushed here; a handshake never asks for one.</summary>
/// <remarks>Safe for concurrent use. Publishing is atomic: a handshake sees the previous certificate or the new one.</remarks>
internal interface ITlsPublisher
{
    /// <summary>
    /// Sets the managed names, with or without a certificate yet. A name that is neither managed nor published is foreign.
    /// </summary>
    /// <param name="names">All managed names, in the form of the name index: A-labels in lower case, without a trailing dot.</param>
    /// <param name="sole">
    /// A name of the only configured certificate, which is served to clients without a server name; <see langword="null"/> if several are
    /// configured.
    /// </param>
    void SetManagedNames(IReadOnlyCollection<string> names, string? sole = null);

    /// <summary>Publishes certificates from the store. Their contexts are created at first use.</summary>
    /// <returns>The IDs of rejected certificates and the reason, such as a mismatched key or a chain out of order.</returns>
    IReadOnlyDictionary<string, string> PublishStored(IReadOnlyCollection<CertificateMaterial> materials);

    /// <summary>Publishes a new certificate. Its context is created first, so that no client waits because of a renewal.</summary>
    /// <exception cref="InvalidCertificateException">
    /// The key does not match the certificate, or the chain is out of order. The previous certificate is still served.
    /// </exception>
    void Publish(CertificateMaterial material);

    /// <summary>
    /// Sets whether a published certificate is retired. A retired certificate is served only if no valid configured certificate covers the
    /// name. Does nothing if the ID is not published.
    /// </summary>
    void SetRetired(string id, bool isRetired);

    /// <summary>Stops serving a certificate. Open connections that use it are not affected.</summary>
    void Withdraw(string id);

    /// <summary>
    /// Presents a tls-alpn-01 response (RFC 8737) for a server name, served in <c>acme-tls/1</c> handshakes only. If a name has several
    /// responses, the latest is served.
    /// </summary>
    /// <param name="serverName">The server name.</param>
    /// <param name="challenge">Distinguishes this response from others for the same name, such as those of another order.</param>
    /// <param name="certificate">The response.</param>
    void PresentChallenge(string serverName, string challenge, X509Certificate2 certificate);

    /// <summary>Withdraws one response for a server name; call it as often as the response was presented. Other responses stay.</summary>
    void WithdrawChallenge(string serverName, string challenge);
}
