using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks the URL of a directory, or the name of a well-known CA.</summary>
internal static class DirectoryUrlRules
{
    private const int MaxIdLength = 100;

    /// <summary>Returns the URL, or <see langword="null"/> after a problem.</summary>
    public static Uri? Read(string? text, string key, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(text) is not { } given)
        {
            problems.Add(key, null, "is missing", $"Write the URL of an ACME directory, or one of {Names()}");
            return null;
        }

        if (WellKnownAuthorities.FindByName(given) is { } known)
        {
            return known.DirectoryUrl;
        }

        if (!given.Contains("://", StringComparison.Ordinal))
        {
            var nearest = NearestName.Find(given, WellKnownAuthorities.All.Select(authority => authority.Name));
            var fix = nearest is null ? $"Write a URL that begins with 'https://', or one of {Names()}" : $"Did you mean '{nearest}'?";
            problems.Add(key, given, "is neither a URL nor a known CA", fix);
            return null;
        }

        return ReadUrl(given, key, problems);
    }

    /// <summary>Returns the ID of a CA: a valid segment of a storage key, different for each directory.</summary>
    public static string Id(Uri url, WellKnownAuthority? known)
    {
        if (known is not null)
        {
            return known.Name.ToLowerInvariant();
        }

        var readable = $"{url.IdnHost}-{url.Port}{url.AbsolutePath}".ToLowerInvariant().TrimEnd('/');
        var characters = readable.Take(MaxIdLength).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-');
        var segment = string.Concat(characters);
        return $"{segment}+{CertificateId.Hash(url.AbsoluteUri)}";
    }

    private static Uri? ReadUrl(string given, string key, ProblemList problems)
    {
        if (!Uri.TryCreate(given, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
        {
            var shown = given.Contains('@') ? null : given;
            problems.Add(key, shown, "is not the URL of a directory", "Write a URL that begins with 'https://'");
            return null;
        }

        if (given.Any(IsInvisible) || url.Fragment.Length > 0 || url.Port == 0)
        {
            var fix = "Write a URL that begins with 'https://', without line breaks, invisible characters, a fragment ('#') or port 0";
            problems.Add(key, given.Contains('@') ? null : given, "is not the URL of a directory", fix);
            return null;
        }

        if (url.UserInfo.Length > 0)
        {
            problems.Add(key, null, "contains a user name or password", "Remove it: ACME identifies accounts by their key");
            return null;
        }

        if (url.Scheme == "http" && !IsOwnMachine(url))
        {
            var https = new UriBuilder(url) { Scheme = "https", Port = url.IsDefaultPort ? -1 : url.Port }.Uri;
            problems.Add(key, given, "is not encrypted, and not on this machine", $"Write '{https}'");
            return null;
        }

        return url;
    }

    // What was pasted with it: a line break, a zero-width space, or a mark that turns the direction of the text.
    private static bool IsInvisible(char c)
        => char.IsControl(c) || char.IsWhiteSpace(c) || char.GetUnicodeCategory(c) == System.Globalization.UnicodeCategory.Format;

    private static bool IsOwnMachine(Uri url) => url.IsLoopback || url.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static string Names() => string.Join(", ", WellKnownAuthorities.All.Select(authority => authority.Name));
}
