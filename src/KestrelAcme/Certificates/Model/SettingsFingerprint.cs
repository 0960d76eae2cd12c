using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Model;

/// <summary>A hash of the settings that an operator may change to fix a failure. Pure; reveals nothing about secrets.</summary>
internal static class SettingsFingerprint
{
    public static string Of(CertificateSpecification certificate, AuthoritySpecification authority)
    {
        var text = new StringBuilder()
            .AppendJoin(',', certificate.Identifiers.Select(i => i.Value)).Append('|')
            .AppendJoin(',', certificate.ChallengeTypes).Append('|')
            .Append(certificate.KeyAlgorithm).Append('|')
            .Append(certificate.Profile ?? authority.Profile).Append('|')
            .Append(authority.DirectoryUrl).Append('|')
            .Append(authority.EmailAddress).Append('|')
            .Append(authority.ExternalAccountBinding?.KeyId).Append('|')
            .Append(authority.ExternalAccountBinding is { } binding ? Convert.ToHexString(SHA256.HashData(binding.HmacKey.Span)) : null);
        return Hash(text.ToString());
    }

    /// <summary>Returns a hash of the settings that are sent when an account is registered.</summary>
    public static string Of(AuthoritySpecification authority)
    {
        var binding = authority.ExternalAccountBinding;
        var secret = binding is null ? null : Convert.ToHexString(SHA256.HashData(binding.HmacKey.Span));
        return Hash($"{authority.DirectoryUrl}|{authority.EmailAddress}|{binding?.KeyId}|{secret}");
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, 8));
}
