namespace KestrelAcme.Challenges.Dns01.Http;

/// <summary>Checks the URLs of APIs.</summary>
internal static class UrlRule
{
    /// <returns>What is wrong with it, or <see langword="null"/>.</returns>
    public static string? Check(string text)
        => Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "https" or "http" && url.Host.Length > 0
            && url.UserInfo.Length == 0 && url.Query.Length == 0 && url.Fragment.Length == 0
                ? null
                : "is not the URL of an API (https, without user, query or fragment)";

    /// <summary>As <see cref="Check"/>, and plain http only to this machine: a token is sent along.</summary>
    public static string? CheckSecure(string text)
        => Check(text) ?? (new Uri(text) is { Scheme: "http", IsLoopback: false } ? "is plain http, over which a secret would be sent" : null);
}
