using System.Diagnostics.CodeAnalysis;
using KestrelAcme.Protocol.Jose;

namespace KestrelAcme.Protocol.Challenges;

/// <summary>What a token may look like (RFC 8555 section 8.1): it ends up in paths and records, so nothing else gets through.</summary>
internal static class ChallengeToken
{
    private const int MaxLength = 512;

    public static bool IsValid([NotNullWhen(true)] string? token) => token is { Length: > 0 and <= MaxLength }
        && Base64UrlAlphabet.IsMatch(token);
}
