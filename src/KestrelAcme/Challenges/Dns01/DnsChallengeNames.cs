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
