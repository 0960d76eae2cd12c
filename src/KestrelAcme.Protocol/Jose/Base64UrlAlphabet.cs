using System.Buffers;

namespace KestrelAcme.Protocol.Jose;

/// <summary>The characters of base64url without padding (RFC 4648 section 5).</summary>
internal static class Base64UrlAlphabet
{
    private static readonly SearchValues<char> Characters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    public static bool IsMatch(ReadOnlySpan<char> text) => !text.ContainsAnyExcept(Characters);
}
