namespace KestrelAcme.Protocol.Problems;

/// <summary>The problem types of RFC 8555 section 6.7, RFC 9773 and the profiles draft.</summary>
public static class AcmeProblemTypes
{
    /// <summary>The common prefix of all types in the ACME registry.</summary>
    public const string Prefix = "urn:ietf:params:acme:error:";

    /// <summary>The account does not exist or no longer exists: create it again with the same key.</summary>
    public const string AccountDoesNotExist = Prefix + "accountDoesNotExist";

    /// <summary>The certificate in <c>replaces</c> is already replaced by another order (RFC 9773 section 7.4).</summary>
    public const string AlreadyReplaced = Prefix + "alreadyReplaced";

    /// <summary>The certificate is already revoked.</summary>
    public const string AlreadyRevoked = Prefix + "alreadyRevoked";

    /// <summary>The certificate signing request is not acceptable.</summary>
    public const string BadCsr = Prefix + "badCSR";

    /// <summary>The nonce was not acceptable. This library retries up to ten times by itself.</summary>
    public const string BadNonce = Prefix + "badNonce";

    /// <summary>The public key is not acceptable.</summary>
    public const string BadPublicKey = Prefix + "badPublicKey";

    /// <summary>The revocation reason is not allowed.</summary>
    public const string BadRevocationReason = Prefix + "badRevocationReason";

    /// <summary>The signature algorithm is not supported; <see cref="AcmeProblem.Algorithms"/> lists those that are.</summary>
    public const string BadSignatureAlgorithm = Prefix + "badSignatureAlgorithm";

    /// <summary>A CAA record forbids the CA to issue.</summary>
    public const string Caa = Prefix + "caa";

    /// <summary>Several problems, in <see cref="AcmeProblem.Subproblems"/>.</summary>
    public const string Compound = Prefix + "compound";

    /// <summary>
    /// The request conflicts with one in progress, for example because the challenge is already being validated (Boulder).
    /// </summary>
    public const string Conflict = Prefix + "conflict";

    /// <summary>The server could not connect to the validation target.</summary>
    public const string Connection = Prefix + "connection";

    /// <summary>A DNS query failed during validation.</summary>
    public const string Dns = Prefix + "dns";

    /// <summary>The CA requires an external account binding.</summary>
    public const string ExternalAccountRequired = Prefix + "externalAccountRequired";

    /// <summary>The response to the challenge was not the expected one.</summary>
    public const string IncorrectResponse = Prefix + "incorrectResponse";

    /// <summary>A contact address is not acceptable.</summary>
    public const string InvalidContact = Prefix + "invalidContact";

    /// <summary>The profile is unknown or not available to this account.</summary>
    public const string InvalidProfile = Prefix + "invalidProfile";

    /// <summary>The request was malformed.</summary>
    public const string Malformed = Prefix + "malformed";

    /// <summary>The order is not ready to be finalized.</summary>
    public const string OrderNotReady = Prefix + "orderNotReady";

    /// <summary>A rate limit was exceeded.</summary>
    public const string RateLimited = Prefix + "rateLimited";

    /// <summary>The CA does not issue certificates for the identifier.</summary>
    public const string RejectedIdentifier = Prefix + "rejectedIdentifier";

    /// <summary>The server had an internal error.</summary>
    public const string ServerInternal = Prefix + "serverInternal";

    /// <summary>A TLS error occurred during validation.</summary>
    public const string Tls = Prefix + "tls";

    /// <summary>The client lacks authorization.</summary>
    public const string Unauthorized = Prefix + "unauthorized";

    /// <summary>The URL scheme of a contact is not supported.</summary>
    public const string UnsupportedContact = Prefix + "unsupportedContact";

    /// <summary>The server does not support the type of an identifier.</summary>
    public const string UnsupportedIdentifier = Prefix + "unsupportedIdentifier";

    /// <summary>The user has to act, for example agree to new terms of service.</summary>
    public const string UserActionRequired = Prefix + "userActionRequired";
}
