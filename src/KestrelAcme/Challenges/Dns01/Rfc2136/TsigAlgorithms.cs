using KestrelAcme.DnsClient.Updates;

namespace KestrelAcme.Challenges.Dns01.Rfc2136;

/// <summary>The names of TSIG algorithms.</summary>
internal static class TsigAlgorithms
{
    public static bool TryParse(string? text, out TsigAlgorithm algorithm)
    {
        algorithm = string.Equals(text, "hmac-sha512", StringComparison.OrdinalIgnoreCase) ? TsigAlgorithm.HmacSha512 : TsigAlgorithm.HmacSha256;
        return text is null || algorithm == TsigAlgorithm.HmacSha512 || string.Equals(text, "hmac-sha256", StringComparison.OrdinalIgnoreCase);
    }
}
