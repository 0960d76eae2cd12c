using System.Net;
using System.Text;
using System.Text.Json;
using KestrelAcme.Storage;
using KestrelAcme.Tls;

namespace KestrelAcme.Challenges;

/// <summary>
/// An open challenge as it is stored for all instances: its token and its CA, but no key authorization. Each instance appends the
/// thumbprint of the account that it uses itself. Therefore, someone who can only write to the store cannot have another account validated.
/// </summary>
internal sealed record SharedChallenge
{
    // A record of a hundred owners. A larger one was not written by KestrelAcme.
    public const int MaxLength = 16 * 1024;

    private const int MaxTokenLength = 256;
    private const int HintLength = 16;

    /// <summary>The type of the challenge.</summary>
    public required string Type { get; init; }

    /// <summary>The type of the identifier: <c>dns</c> or <c>ip</c>.</summary>
    public required string IdentifierType { get; init; }

    /// <summary>The domain name or the IP address.</summary>
    public required string Identifier { get; init; }

    public required string Token { get; init; }

    /// <summary>The directory of the CA; <see langword="null"/> in records of earlier versions.</summary>
    public Uri? DirectoryUrl { get; init; }

    /// <summary>
    /// Identifies the account key of the instance that ordered, so that another instance notices that it knows an older key. It decides
    /// nothing else.
    /// </summary>
    public string? KeyHint { get; init; }

    /// <summary>
    /// Identifies the order at the instance that shares the challenge for it; <see langword="null"/> at others, and without an order.
    /// Stored for each owner (<see cref="SharedChallengeResponses"/>).
    /// </summary>
    public string? Order { get; init; }

    public static string HintOf(string thumbprint) => StorageKey.Hash(thumbprint)[..HintLength];

    /// <summary>Returns what is stored for a challenge; <see langword="null"/> if it has no token or no account.</summary>
    public static SharedChallenge? Of(ChallengeContext context)
        => context is { Token: { } token, AccountThumbprint: { } thumbprint }
            ? new SharedChallenge
            {
                Type = context.ChallengeType,
                IdentifierType = context.IdentifierType,
                Identifier = context.Identifier,
                Token = token,
                DirectoryUrl = context.DirectoryUrl,
                KeyHint = HintOf(thumbprint),
                Order = context.OrderUrl is { } order ? StorageKey.Hash(order.AbsoluteUri)[..HintLength] : null,
            }
            : null;

    /// <summary>Whether an account key may be the one of the instance that ordered.</summary>
    public bool Suits(string thumbprint) => KeyHint is null || KeyHint == HintOf(thumbprint);

    public string Encode() => Encoding.UTF8.GetString(JsonFields.Write(this, static (json, challenge) =>
    {
        json.WriteString("type", challenge.Type);
        json.WriteString("identifierType", challenge.IdentifierType);
        json.WriteString("identifier", challenge.Identifier);
        json.WriteString("token", challenge.Token);
        json.WriteUrl("directoryUrl", challenge.DirectoryUrl);
        json.WriteText("keyHint", challenge.KeyHint);
    }));

    /// <summary>Decodes a record, also of an earlier version; <see langword="null"/> if it is damaged.</summary>
    /// <param name="type">The type of the challenge.</param>
    /// <param name="text">The first line of the stored value.</param>
    public static SharedChallenge? Decode(string type, string text)
    {
        try
        {
            var challenge = text.StartsWith('{')
                ? JsonFields.Read(Encoding.UTF8.GetBytes(text), Read)
                : DecodeEarlier(type, text);
            return challenge is not null && challenge.Type == type && challenge.IsSound() ? challenge : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static SharedChallenge Read(JsonFields json) => new()
    {
        Type = json.Text("type"),
        IdentifierType = json.Text("identifierType"),
        Identifier = json.Text("identifier"),
        Token = json.Text("token"),
        DirectoryUrl = json.OptionalUrl("directoryUrl"),
        KeyHint = json.OptionalText("keyHint"),
    };

    public static bool IsToken(ReadOnlySpan<char> token)
    {
        if (token.IsEmpty || token.Length > MaxTokenLength)
        {
            return false;
        }

        foreach (var c in token)
        {
            if (!(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            {
                return false;
            }
        }

        return true;
    }

    // An earlier version stored "token.thumbprint", and "dns example.com token.thumbprint" for tls-alpn-01. It is answered only by an
    // instance whose own account has this thumbprint.
    private static SharedChallenge? DecodeEarlier(string type, string text)
    {
        var parts = text.Split(' ');
        return parts[^1].Split('.') is [var token, var thumbprint] && parts.Length is 1 or 3
            ? new SharedChallenge
            {
                Type = type,
                IdentifierType = parts.Length == 3 ? parts[0] : "dns",
                Identifier = parts.Length == 3 ? parts[1] : "",
                Token = token,
                KeyHint = HintOf(thumbprint),
            }
            : null;
    }

    private bool IsSound()
        => IsToken(Token)
            && DirectoryUrl is null or { IsAbsoluteUri: true }
            && (DirectoryUrl is not null || KeyHint is not null)
            && (IdentifierType == "ip" ? IPAddress.TryParse(Identifier, out _)
                : IdentifierType == "dns" && (Identifier.Length == 0 ? DirectoryUrl is null : IsHostName(Identifier)));

    private static bool IsHostName(string name) => HostName.TryRead(Encoding.UTF8.GetBytes(name), out _);

    /// <summary>Returns the type and the identifier, without the token.</summary>
    public override string ToString() => $"{Type} for {Identifier}";
}

/// <summary>
/// The account keys of this instance, which proves control of names with them. It never gives away a key, only its thumbprint (RFC 7638).
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal interface IAccountThumbprints
{
    /// <summary>Returns the thumbprint of the account at a CA, if this instance already knows it. Never waits.</summary>
    string? Find(Uri directoryUrl);

    /// <summary>
    /// Returns the thumbprint of the account with which a challenge is answered. Reads the account from the store if this instance does not
    /// know it, or if the challenge was ordered with another key.
    /// </summary>
    /// <param name="directoryUrl">The directory of the CA; <see langword="null"/> for any whose account suits.</param>
    /// <param name="suits">Whether a thumbprint may be the one with which the challenge was ordered.</param>
    /// <param name="cancellationToken">Cancels the read.</param>
    /// <returns><see langword="null"/> if this instance has no account at the CA.</returns>
    /// <exception cref="StorageUnavailableException">The store could not be read.</exception>
    ValueTask<string?> LoadAsync(Uri? directoryUrl, Func<string, bool> suits, CancellationToken cancellationToken);
}
