namespace KestrelAcme.Protocol.Problems;

/// <summary>The problem types of RFC 8555 section 6.7, RFC 9773 and the profiles draft.</summary>
public static class AcmeProblemTypes
{
    /// <summary>What every type of the ACME registry starts with.</summary>
    public const string Prefix = "urn:ietf:params:acme:error:";

    /// <summary>The account does not exist (any more): register again with the same key.</summary>
    public const string AccountDoesNotExist = Prefix + "accountDoesNotExist";

    /// <summary>A certificate that another order already replaces was named in <c>replaces</c> (RFC 9773 section 7.4).</summary>
    public const string AlreadyReplaced = Prefix + "alreadyReplaced";

    /// <summary>The certificate is revoked already.</summary>
    public const string AlreadyRevoked = Prefix + "alreadyRevoked";

    /// <summary>The certificate signing request is not acceptable.</summary>
    public const string BadCsr = Prefix + "badCSR";

    /// <summary>The nonce was not acceptable; answered by this library itself up to ten times.</summary>
    public const string BadNonce = Prefix + "badNonce";

    /// <summary>The public key is not acceptable.</summary>
    public const string BadPublicKey = Prefix + "badPublicKey";

    /// <summary>The reason for the revocation is not acceptable.</summary>
    public const string BadRevocationReason = Prefix + "badRevocationReason";

    /// <summary>The signature algorithm is not acceptable; <see cref="AcmeProblem.Algorithms"/> lists those that are.</summary>
    public const string BadSignatureAlgorithm = Prefix + "badSignatureAlgorithm";

    /// <summary>A CAA record forbids the authority to issue.</summary>
    public const string Caa = Prefix + "caa";

    /// <summary>Several problems at once, in <see cref="AcmeProblem.Subproblems"/>.</summary>
    public const string Compound = Prefix + "compound";

    /// <summary>
    /// The request conflicts with one that is being worked on: a challenge that is being validated already, for one (Boulder).
    /// </summary>
    public const string Conflict = Prefix + "conflict";

    /// <summary>The server could not connect to the validation target.</summary>
    public const string Connection = Prefix + "connection";

    /// <summary>A DNS query failed during validation.</summary>
    public const string Dns = Prefix + "dns";

    /// <summary>The authority wants an external account binding.</summary>
    public const string ExternalAccountRequired = Prefix + "externalAccountRequired";

    /// <summary>The answer to the challenge was not the expected one.</summary>
    public const string IncorrectResponse = Prefix + "incorrectResponse";

    /// <summary>A contact address is not acceptable.</summary>
    public const string InvalidContact = Prefix + "invalidContact";

    /// <summary>The profile is unknown, or not open to this account.</summary>
    public const string InvalidProfile = Prefix + "invalidProfile";

    /// <summary>The request was malformed.</summary>
    public const string Malformed = Prefix + "malformed";

    /// <summary>The order is not ready to be finalized.</summary>
    public const string OrderNotReady = Prefix + "orderNotReady";

    /// <summary>A rate limit was met.</summary>
    public const string RateLimited = Prefix + "rateLimited";

    /// <summary>The authority does not issue for the identifier.</summary>
    public const string RejectedIdentifier = Prefix + "rejectedIdentifier";

    /// <summary>An error inside the server.</summary>
    public const string ServerInternal = Prefix + "serverInternal";

    /// <summary>TLS failed during validation.</summary>
    public const string Tls = Prefix + "tls";

    /// <summary>The client is not authorized.</summary>
    public const string Unauthorized = Prefix + "unauthorized";

    /// <summary>The scheme of a contact URL is not supported.</summary>
    public const string UnsupportedContact = Prefix + "unsupportedContact";

    /// <summary>An identifier is of a type that the server does not support.</summary>
    public const string UnsupportedIdentifier = Prefix + "unsupportedIdentifier";

    /// <summary>A person has to act, as a rule: agree to new terms of service.</summary>
    public const string UserActionRequired = Prefix + "userActionRequired";
}
