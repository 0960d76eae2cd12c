using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Challenges.Dns01.Persist;

/// <summary>
/// The record of dns-persist-01: <c>_validation-persist.NAME TXT "ISSUER; accounturi=URI[; policy=wildcard][; persistUntil=SECONDS]"</c>.
/// At an authority of draft-ietf-acme-dns-persist-02 the URI
/// is a hash over the name, the account's key and the account's URL; at one of draft -01 it is the account's URL. All that is known of the
/// format is here. Pure.
/// </summary>
internal static class PersistRecord
{
    private const string AnyDomain = "*";
    private const int LongestString = 255;
    private static readonly char[] Blank = [' ', '\t'];

    public static string NameOf(string domain) => $"_validation-persist.{domain}";

    /// <summary>The record to create. A text of more than 255 octets is several strings (RFC 1035 section 3.3.14).</summary>
    public static RequiredDnsRecord RecordFor(PersistRequest request)
    {
        var text = $"{request.Issuers[0]}; accounturi={AccountUris(request)[0]}{(request.Wildcard ? "; policy=wildcard" : "")}";
        var strings = text.Chunk(LongestString).Select(part => $"\"{new string(part)}\"");
        return new RequiredDnsRecord(NameOf(request.Domain), "TXT", string.Join(' ', strings));
    }

    /// <summary>The account's URI as draft -02 hashes it.</summary>
    /// <param name="prefix">The authority's prefix.</param>
    /// <param name="domain">The name of the record without its first label, or <c>*</c> for one value for all names.</param>
    /// <param name="thumbprint">The thumbprint of the account's key, base64url.</param>
    /// <param name="accountUrl">The account's URL.</param>
    public static string HashedUri(string prefix, string domain, string thumbprint, string accountUrl)
    {
        byte[] octets = [checked((byte)domain.Length), .. Encoding.ASCII.GetBytes(domain + thumbprint + accountUrl)];
        return $"{prefix}sha-256/{Base64Url.EncodeToString(SHA256.HashData(octets))}";
    }

    /// <summary>Whether a prefix can begin a URI that fits into the record.</summary>
    public static bool IsPrefix(string? prefix)
        => !string.IsNullOrEmpty(prefix) && prefix.All(c => c is > ' ' and < (char)0x7F and not (';' or '"' or '\\'))
            && Uri.TryCreate(prefix + "sha-256/", UriKind.Absolute, out var uri) && uri.IsWellFormedOriginalString();

    /// <summary>
    /// Whether a value lets this account prove the name now, read as strictly as an authority may read it: what one of them refuses would
    /// cost a failed validation. Parameters that are not known
    /// are passed over.
    /// </summary>
    public static bool Allows(string value, PersistRequest request, DateTimeOffset now)
    {
        var parts = value.Split(';');
        if (!request.Issuers.Contains(parts[0].Trim(Blank), StringComparer.Ordinal) || ReadParameters(parts) is not { } parameters)
        {
            return false;
        }

        return parameters.GetValueOrDefault("accounturi") is { } account && AccountUris(request).Contains(account, StringComparer.Ordinal)
            && (!request.Wildcard || string.Equals(parameters.GetValueOrDefault("policy"), "wildcard", StringComparison.OrdinalIgnoreCase))
            && (parameters.GetValueOrDefault("persistuntil") is not { } until || IsAfter(until, now));
    }

    private static bool IsAfter(string seconds, DateTimeOffset now)
        => long.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var until) && until > now.ToUnixTimeSeconds();

    /// <returns>The known parameters by their tags in lower case; <see langword="null"/> if the value is not of the syntax (RFC 8659
    /// section 4.2), or has one of them twice.</returns>
    private static Dictionary<string, string>? ReadParameters(string[] parts)
    {
        var known = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Skip(1))
        {
            // An empty one, as after a semicolon at the end, is none.
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

    // The first is the one that is shown: that of the name, which tells nobody which names belong together.
    private static IReadOnlyList<string> AccountUris(PersistRequest request)
    {
        var url = request.Account.Url.OriginalString;
        return request.AccountHashPrefix is { } prefix
            ? [.. new[] { request.Domain, AnyDomain }.Select(domain => HashedUri(prefix, domain, request.Account.Thumbprint ?? "", url))]
            : [url];
    }
}

/// <summary>The account that a record of dns-persist-01 names.</summary>
/// <param name="Url">The account's URL.</param>
/// <param name="Thumbprint">The thumbprint of its key (RFC 7638); <see langword="null"/> if it is not known, as to a handler of an older
/// caller.</param>
/// <param name="ProveAsync">Asks the authority whether this account is valid, before anybody is asked to create a record for it; <see
/// langword="null"/> if nobody can.</param>
internal sealed record PersistAccount(Uri Url, string? Thumbprint, Func<CancellationToken, Task>? ProveAsync);

/// <summary>What a record of dns-persist-01 has to allow.</summary>
/// <param name="Domain">The name, without <c>*.</c>.</param>
/// <param name="Wildcard">Whether its wildcard is meant.</param>
/// <param name="Account">Who orders.</param>
/// <param name="Issuers">The names by which records know the authority; not empty. The first is the one that is shown.</param>
internal sealed record PersistRequest(string Domain, bool Wildcard, PersistAccount Account, IReadOnlyList<string> Issuers)
{
    /// <summary>
    /// What hashed account URIs begin with, at an authority of draft -02; <see langword="null"/>: the record holds the account's URL.
    /// </summary>
    public string? AccountHashPrefix { get; init; }
}
