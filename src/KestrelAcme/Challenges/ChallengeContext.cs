using System.Text.Json;

namespace KestrelAcme.Challenges;

/// <summary>One challenge of one authorization, and what is needed to answer it.</summary>
public sealed record ChallengeContext
{
    /// <summary>The challenge's type, such as <c>http-01</c>.</summary>
    public required string ChallengeType { get; init; }

    /// <summary>The kind of identifier: <c>dns</c> or <c>ip</c> (RFC 8738).</summary>
    public required string IdentifierType { get; init; }

    /// <summary>The name (an A-label, lower case, without <c>*.</c>) or the address.</summary>
    public required string Identifier { get; init; }

    /// <summary>Whether the authorization is for the wildcard of <see cref="Identifier"/>.</summary>
    public bool Wildcard { get; init; }

    /// <summary>The challenge's URL at the authority.</summary>
    public required Uri Url { get; init; }

    /// <summary>The token; <see langword="null"/> for the types that have none.</summary>
    public string? Token { get; init; }

    /// <summary>The key authorization, <c>token.thumbprint</c> (RFC 8555 section 8.1); <see langword="null"/> for the types that have no token.</summary>
    public string? KeyAuthorization { get; init; }

    /// <summary>The URL of the account that ordered.</summary>
    public required Uri AccountUrl { get; init; }

    /// <summary>The thumbprint of the account's key (RFC 7638), base64url.</summary>
    /// <value><see langword="null"/>: it is not known.</value>
    public string? AccountThumbprint { get; init; }

    /// <summary>The authority's directory URL.</summary>
    public required Uri DirectoryUrl { get; init; }

    /// <summary>The names by which the authority is known in CAA records; empty when it does not say.</summary>
    public IReadOnlyList<string> CaaIdentities { get; init; } = [];

    /// <summary>
    /// The names by which records of dns-persist-01 know the authority, as its directory gives them (<c>issuerDomainNames</c>, a draft);
    /// empty when it does not say.
    /// </summary>
    public IReadOnlyList<string> IssuerDomainNames { get; init; } = [];

    /// <summary>
    /// What hashed account URIs of dns-persist-01 begin with, as the directory gives it (<c>accountHashPrefix</c>, a draft).
    /// </summary>
    /// <value><see langword="null"/>: the directory does not say.</value>
    public string? AccountHashPrefix { get; init; }

    /// <summary>Asks the authority whether the account that ordered is valid, and throws if it is not.</summary>
    internal Func<CancellationToken, Task>? ProveAccountAsync { get; init; }

    /// <summary>When the authorization ends; an answer is of no use after that. <see langword="null"/> when the authority does not say.</summary>
    public DateTimeOffset? Expires { get; init; }

    /// <summary>Members of the challenge that RFC 8555 does not know, for drafts.</summary>
    public IReadOnlyDictionary<string, JsonElement> OtherMembers { get; init; } = new Dictionary<string, JsonElement>();

    /// <summary>Returns the type and the name; the token and the key authorization are left out.</summary>
    public override string ToString() => $"{ChallengeType} for {(Wildcard ? "*." : "")}{Identifier}";
}
