namespace KestrelAcme.Tls;

/// <summary>What we want to know of a ClientHello (RFC 8446 section 4.1.2).</summary>
/// <param name="ServerName">The name in lower case without a trailing dot; <see langword="null"/> when the client sent none.</param>
/// <param name="IsAcmeTls">Whether the ALPN list is exactly <c>acme-tls/1</c> (RFC 8737).</param>
/// <param name="AcceptedKeys">The kinds of certificate keys that the client can verify.</param>
/// <param name="OffersTls13">Whether TLS 1.3 is among the supported versions.</param>
internal readonly record struct ClientHello(string? ServerName, bool IsAcmeTls, KeyKinds AcceptedKeys, bool OffersTls13);
