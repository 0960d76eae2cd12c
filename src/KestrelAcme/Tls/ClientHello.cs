using System.Net;

namespace KestrelAcme.Tls;

/// <summary>What we want to know of a ClientHello (RFC 8446 section 4.1.2).</summary>
/// <param name="ServerName">
/// The name in lower case without a trailing dot; <see langword="null"/> if the client sent none, or an IP address in its place; <see
/// cref="HostName.Unknown"/> if it sent something else.
/// </param>
/// <param name="Address">The IP address that the client sent as its server name.</param>
/// <param name="IsAcmeTls">Whether the ALPN list is exactly <c>acme-tls/1</c> (RFC 8737).</param>
/// <param name="AcceptedKeys">
/// The kinds of certificate keys that the client can verify under the highest version of TLS that it offers.
/// </param>
/// <param name="AcceptedBelowTls13">
/// The same under TLS 1.2, to which an endpoint may be limited; <paramref name="AcceptedKeys"/> if the client offers only one of the two.
/// </param>
/// <param name="OffersTls13">Whether TLS 1.3 is among the supported versions.</param>
internal readonly record struct ClientHello(
    string? ServerName, IPAddress? Address, bool IsAcmeTls, KeyKinds AcceptedKeys, KeyKinds AcceptedBelowTls13, bool OffersTls13);
