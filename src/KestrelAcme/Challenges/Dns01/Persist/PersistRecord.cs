using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// The record of dns-persist-01: <c>_validation-persist.NAME TXT "ISSUER; accounturi=URI[; policy=wildcard][; persistUntil=SECONDS]"</c>.
/// For a CA that implements draft-ietf-acme-dns-persist-02, the URI is a hash of the name, the account's key and the account's URL. For
/// draft -01, it is the account's URL. Only this class knows the format. Pure.
/// </summary>
internal static class PersistRecord
{
    private const string AnyDomain = "*";
    private const int LongestString = 255;
    private static readonly TimeSpan Soon = TimeSpan.FromDays(30);
    private static readonly long LastSecond = DateTimeOffset.MaxValue.ToUnixTimeSeconds();
    private static readonly char[] Blank = [' ', '\t'];

    public static string NameOf(string domain) => $"_validation-persist.{domain}";

    /// <summary>
    /// Returns the record to create. A text of more than 255 bytes is split into several strings (RFC 1035 section 3.3.14).
    /// </summary>
    public static RequiredDnsRecord RecordFor(PersistRequest request)
    {
        var text = $"{request.Issuers[0]}; accounturi={AccountUris(request)[0]}{(request.Wildcard ? "; policy=wildcard" : "")}";
        var strings = text.Chunk(LongestString).Select(part => $"\"{new string(part)}\"");
        return new RequiredDnsRecord(NameOf(request.Domain), "TXT", string.Join(' ', strings));
    }

    /// <summary>Returns the hashed account URI of draft -02.</summary>
    /// <param name="prefix">The CA's prefix.</param>
    /// <param name="domain">The name of the record without its first label, or <c>*</c> for one value for all names.</param>
    /// <param name="thumbprint">The thumbprint of the account's key, in base64url.</param>
    /// <param name="accountUrl">The account's URL.</param>
    public static string HashedUri(string prefix, string domain, string thumbprint, string accountUrl)
    {
        byte[] octets = [checked((byte)domain.Length), .. Encoding.ASCII.GetBytes(domain + thumbprint + accountUrl)];
        return $"{prefix}sha-256/{Base64Url.EncodeToString(SHA256.HashData(octets))}";
    }

    /// <summary>Whether a prefix is valid as the start of a URI in the record.</summary>
    public static bool IsPrefix(string? prefix)
        => !string.IsNullOrEmpty(prefix) && prefix.All(c => c is > ' ' and < (char)0x7F and not (';' or '"' or '\\'))
            && Uri.TryCreate(prefix + "sha-256/", UriKind.Absolute, out var uri) && uri.IsWellFormedOriginalString();

    /// <summary>
    /// Whether a value allows this account to prove the name now. Interpreted as strictly as a CA may, because a value that a CA rejects
    /// costs a failed validation. Unknown parameters are ignored.
    /// </summary>
    public static bool Allows(string value, PersistRequest request, DateTimeOffset now) => AllowsUntil(value, request, now) is not null;

    /// <summary>Returns until when a value allows this account to prove the name. Interpreted like <see cref="Allows"/>.</summary>
    /// <returns><see cref="DateTimeOffset.MaxValue"/> if it does not expire; <see langword="null"/> if it does not allow it now.</returns>
    public static DateTimeOffset? AllowsUntil(string value, PersistRequest request, DateTimeOffset now)
    {
        var parts = value.Split(';');
        if (!request.Issuers.Contains(parts[0].Trim(Blank), StringComparer.Ordinal) || ReadParameters(parts) is not { } parameters)
        {
            return null;
        }

        return parameters.GetValueOrDefault("accounturi") is { } account && AccountUris(request).Contains(account, StringComparer.Ordinal)
            && (!request.Wildcard || string.Equals(parameters.GetValueOrDefault("policy"), "wildcard", StringComparison.OrdinalIgnoreCase))
            ? EndOf(parameters, now)
            : null;
    }

    /// <summary>
    /// Whether a record ends too soon: within 30 days, or before the certificate that was obtained with it, so that its renewal could
    /// find the record expired.
    /// </summary>
    public static bool EndsSoon(DateTimeOffset end, DateTimeOffset notAfter, DateTimeOffset now) => end < now + Soon || end < notAfter;

    private static DateTimeOffset? EndOf(Dictionary<string, string> parameters, DateTimeOffset now)
    {
        if (!parameters.TryGetValue("persistuntil", out var seconds))
        {
            return DateTimeOffset.MaxValue;
        }

        return long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var end) && end > now.ToUnixTimeSeconds()
            ? end <= LastSecond ? DateTimeOffset.FromUnixTimeSeconds(end) : DateTimeOffset.MaxValue
            : null;
    }

    /// <returns>
    /// The known parameters by lower-case tag; <see langword="null"/> if the syntax is invalid (RFC 8659 section 4.2) or a tag is repeated.
    /// </returns>
    private static Dictionary<string, string>? ReadParameters(string[] parts)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1))
        {
            // An empty parameter, such as after a trailing semicolon, is not valid.
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var tag = equals < 0 ? "" : part[..equals].Trim(Blank);
            var text = part[(equals + 1)..].Trim(Blank);
            if (!IsTag(tag) || !text.All(c => c is >= '!' and <= '~'))
            {
                return null;
            }

            tag = tag.ToLowerInvariant();
            if (tag is "accounturi" or "policy" or "persistuntil" && !known.TryAdd(tag, text))
            {
                return null;
            }
        }

        return known;
    }

    private static bool IsTag(string tag)
        => tag.Length > 0 && tag[0] != '-' && tag[^1] != '-' && tag.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    // The first URI is shown to the operator: that of the name, because it does not reveal which names belong together.
    private static IReadOnlyList<string> AccountUris(PersistRequest request)
    {
        var url = request.Account.Url.OriginalString;
        return request.AccountHashPrefix is { } prefix
            ? [.. new[] { request.Domain, AnyDomain }.Select(domain => HashedUri(prefix, domain, request.Account.Thumbprint ?? "", url))]
            : [url];
    }
}

/// <summary>The account that a dns-persist-01 record names.</summary>
/// <param name="Url">The account's URL.</param>
/// <param name="Thumbprint">
/// The thumbprint of its key (RFC 7638); <see langword="null"/> if it is unknown, as for a handler that an older caller uses.
/// </param>
/// <param name="ProveAsync">
/// Asks the CA whether the account is valid, before an operator is told to create a record for it; <see langword="null"/> if this is not
/// possible.
/// </param>
internal sealed record PersistAccount(Uri Url, string? Thumbprint, Func<CancellationToken, Task>? ProveAsync);

/// <summary>What a dns-persist-01 record must allow.</summary>
/// <param name="Domain">The name, without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is ordered.</param>
/// <param name="Account">The account that places the order.</param>
/// <param name="Issuers">The CA's names in records; not empty. The first is shown to the operator.</param>
internal sealed record PersistRequest(string Domain, bool Wildcard, PersistAccount Account, IReadOnlyList<string> Issuers)
{
    /// <summary>
    /// The prefix of hashed account URIs, for a CA that implements draft
    /// -02; <see langword="null"/> if the record contains the account's URL.
    /// </summary>
    public string? AccountHashPrefix { get; init; }
}
