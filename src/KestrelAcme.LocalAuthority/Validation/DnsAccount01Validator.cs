using System.Numerics;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.LocalAuthority.Authorizations;
using KestrelAcme.LocalAuthority.Problems;

namespace KestrelAcme.LocalAuthority.Validation;

/// <summary>Validates dns-account-01 (draft-ietf-acme-dns-account-label): dns-01 under a label derived from the account's URL.</summary>
internal sealed class DnsAccount01Validator(TxtRecords records) : IChallengeValidator
{
    private const string Digits = "abcdefghijklmnopqrstuvwxyz234567";
    private const int LabelLength = 16;

    public string Type => ChallengeTypes.DnsAccount01;

    public Task<Problem?> ValidateAsync(ChallengeTarget target, CancellationToken cancellationToken)
    {
        var name = $"_{Label(target.AccountUrl)}._acme-challenge.{target.Identifier.Value}";
        return DnsDigestCheck.RunAsync(records, name, target, cancellationToken);
    }

    /// <summary>Returns the first ten octets of the URL's SHA-256 in base32: eighty bits, five for each of sixteen digits.</summary>
    internal static string Label(string accountUrl)
    {
        var bits = new BigInteger(SHA256.HashData(Encoding.UTF8.GetBytes(accountUrl)).AsSpan(0, 10), isUnsigned: true, isBigEndian: true);
        var label = new char[LabelLength];
        for (var i = LabelLength - 1; i >= 0; i--, bits >>= 5)
        {
            label[i] = Digits[(int)(bits & 31)];
        }

        return new string(label);
    }
}
