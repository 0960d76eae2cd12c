using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Challenges.Dns01;

/// <summary>The names and values of the records for dns-01 and dns-account-01. Pure.</summary>
internal static class DnsChallengeNames
{
    private const int AccountLabelBytes = 10;
    private const string Base32 = "abcdefghijklmnopqrstuvwxyz234567";

    /// <summary>Returns the name of a dns-01 record (RFC 8555 section 8.4).</summary>
    public static string Dns01(string domain) => $"_acme-challenge.{domain}";

    /// <summary>
    /// Returns the name of a dns-account-01 record (draft-ietf-acme-dns-account-label). It starts with a label of the account, so that
    /// several accounts, each with its own CNAME, can prove the same name.
    /// </summary>
    public static string DnsAccount01(string domain, Uri accountUrl) => $"_{AccountLabel(accountUrl)}._acme-challenge.{domain}";

    /// <summary>Returns base64url(SHA-256(key authorization)).</summary>
    public static string Value(string keyAuthorization)
        => System.Buffers.Text.Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(keyAuthorization)));

    /// <summary>Whether a label stands for an account.</summary>
    public static bool IsAccountLabel(string label)
        => label.Length == 1 + (AccountLabelBytes * 8 / 5) && label[0] == '_' && label.Skip(1).All(Base32.Contains);

    private static string AccountLabel(Uri accountUrl)
    {
        var digest = SHA256.HashData(Encoding.UTF8.GetBytes(accountUrl.OriginalString));
        var label = new StringBuilder(AccountLabelBytes * 8 / 5);
        var bits = 0;
        var buffer = 0;
        foreach (var octet in digest.AsSpan(0, AccountLabelBytes))
        {
            buffer = (buffer << 8) | octet;
            for (bits += 8; bits >= 5; bits -= 5)
            {
                label.Append(Base32[(buffer >> (bits - 5)) & 31]);
            }
        }

        return label.ToString();
    }
}

/// <summary>
/// Decides which TXT records may be created and deleted. Others write CNAMEs and may write notes in a store, and these must not make
/// KestrelAcme change any record that is not for a challenge. Pure.
/// </summary>
internal static class RecordNamePolicy
{
    private const string ChallengeLabel = "_acme-challenge";
    private const int ValueLength = 43;

    /// <summary>
    /// Whether a name consists of letters, digits, hyphens and underscores. A DNS name may contain any byte, and this one becomes the
    /// argument of a program or part of a URL.
    /// </summary>
    public static bool IsPlain(string name) => Array.TrueForAll(name.Split('.'), label => label.Length > 0 && label.All(IsPlain));

    /// <summary>Whether a name is that of a challenge: <c>_acme-challenge.NAME</c>, optionally with an account's label in front.</summary>
    public static bool IsOfChallenge(string challengeName)
    {
        var labels = challengeName.Split('.');
        return IsPlain(challengeName)
            && ((labels.Length > 1 && labels[0] == ChallengeLabel)
                || (labels.Length > 2 && labels[1] == ChallengeLabel && DnsChallengeNames.IsAccountLabel(labels[0])));
    }

    /// <summary>Whether a value is a SHA-256 digest in base64url, as the values of challenges are.</summary>
    public static bool IsOfDigest(string value) => value.Length == ValueLength && value.All(IsPlain);

    /// <summary>
    /// Whether a record may be created at the end of CNAMEs. Another person's CNAME may lead to any name in your zones, so its target must
    /// be marked for challenges: with the label <c>_acme-challenge</c>, or by being below an entry of the provider's <c>Zones</c> that
    /// contains no name of a certificate.
    /// </summary>
    public static bool IsPlaceForChallenges(
        string recordName, IEnumerable<string> providerZones, IReadOnlyCollection<string> certificateNames)
        => recordName.Split('.').Contains(ChallengeLabel, StringComparer.OrdinalIgnoreCase)
            || providerZones.Any(zone => IsAtOrBelow(recordName, zone) && !certificateNames.Any(name => IsAtOrBelow(name, zone)));

    /// <summary>Whether a name is that of a zone, or below it.</summary>
    public static bool IsAtOrBelow(string name, string zone)
        => name.EndsWith(zone, StringComparison.OrdinalIgnoreCase)
            && (name.Length == zone.Length || name[name.Length - zone.Length - 1] == '.');

    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '-' or '_';
}
