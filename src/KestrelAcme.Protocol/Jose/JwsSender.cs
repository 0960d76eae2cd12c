namespace KestrelAcme.Protocol.Jose;

/// <summary>Who signs a request: a key, and the account that it belongs to where the server knows it already.</summary>
internal sealed record JwsSender(JwsSigner Signer, Uri? AccountUrl);
