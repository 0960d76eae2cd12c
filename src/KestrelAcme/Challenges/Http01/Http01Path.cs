namespace KestrelAcme.Challenges.Http01;

/// <summary>Reads tokens from request paths (RFC 8555 section 8.3). Pure. Allocates only for a well-formed token.</summary>
internal static class Http01Path
{
    public const string Prefix = "/.well-known/acme-challenge/";

    // Tokens in use have 43 characters. The RFC requires at least 128 bits of entropy.
    private const int MaxTokenLength = 256;

    public static bool IsChallenge(string? path) => path is not null && path.StartsWith(Prefix, StringComparison.Ordinal);

    /// <returns>The token, or <see langword="null"/> if what follows the prefix is not a token.</returns>
    public static string? Token(string path)
    {
        var token = path.AsSpan(Prefix.Length);
        return IsWellFormed(token) ? token.ToString() : null;
    }

    public static bool IsWellFormed(ReadOnlySpan<char> token)
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
}
