using System.Text.Json;

namespace KestrelAcme.Challenges;

/// <summary>One challenge of an authorization, and what is needed to respond to it.</summary>
public sealed record ChallengeContext
{
    /// <summary>The type of the challenge, such as <c>http-01</c>.</summary>
    public required string ChallengeType { get; init; }

    /// <summary>The type of the identifier: <c>dns</c> or <c>ip</c> (RFC 8738).</summary>
    public required string IdentifierType { get; init; }

    /// <summary>The domain name (a lower-case A-label without <c>*.</c>) or the IP address.</summary>
    public required string Identifier { get; init; }

    /// <summary>Whether the authorization is for the wildcard of <see cref="Identifier"/>.</summary>
    public bool Wildcard { get; init; }

    /// <summary>The URL of the challenge at the CA.</summary>
    public required Uri Url { get; init; }

    /// <summary>The token; <see langword="null"/> for challenge types without one.</summary>
    public string? Token { get; init; }

    /// <summary>
    /// The key authorization, <c>token.thumbprint</c> (RFC 8555 section 8.1); <see langword="null"/> for challenge types without a token.
    /// </summary>
    public string? KeyAuthorization { get; init; }

    /// <summary>The URL of the account that placed the order.</summary>
    public required Uri AccountUrl { get; init; }

    /// <summary>The URL of the order; <see langword="null"/> if the challenge belongs to none.</summary>
    internal Uri? OrderUrl { get; init; }

    /// <summary>The thumbprint of the account's key (RFC 7638), in base64url.</summary>
    /// <value><see langword="null"/> if it is not known.</value>
    public string? AccountThumbprint { get; init; }

    /// <summary>The CA's directory URL.</summary>
    public required Uri DirectoryUrl { get; init; }

    /// <summary>The CA's names in CAA records; empty if its directory has none.</summary>
    public IReadOnlyList<string> CaaIdentities { get; init; } = [];

    /// <summary>
    /// The CA's names in dns-persist-01 records, from its directory (<c>issuerDomainNames</c>, a draft); empty if the directory has none.
    /// </summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    /// <summary>The prefix of hashed account URIs in dns-persist-01, from the directory (<c>accountHashPrefix</c>, a draft).</summary>
    /// <value><see langword="null"/> if the directory has none.</value>
    public string? AccountHashPrefix { get; init; }

    /// <summary>Asks the CA whether the account that placed the order is valid, and throws if it is not.</summary>
    internal Func<CancellationToken, Task>? ProveAccountAsync { get; init; }

    /// <summary>
    /// Takes the time at which the record of the challenge expires; <see cref="DateTimeOffset.MaxValue"/> if it does not expire.
    /// </summary>
    internal Action<DateTimeOffset>? NoteRecordEnd { get; init; }

    /// <summary>When the authorization expires; <see langword="null"/> if the CA does not say.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Fields of the challenge that RFC 8555 does not define, for drafts.</summary>
    public IReadOnlyDictionary<string, JsonElement> OtherMembers { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Returns the type and the identifier, without the token and the key authorization.</summary>
    public override string ToString() => $"{ChallengeType} for {(Wildcard ? "*." : "")}{Identifier}";
}
