using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks a directory URL or a well-known name.</summary>
internal static class DirectoryUrlRules
{
    private const int MaxIdLength = 100;

    /// <summary>Reads the URL; <see langword="null"/> after a problem.</summary>
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
            problems.Add(key, given, "is neither a URL nor a known authority", nearest is null ? $"Write a URL that begins with 'https://', or one of {Names()}" : $"Did you mean '{nearest}'?");
            return null;
        }

        return ReadUrl(given, key, problems);
    }

    /// <summary>A name for the authority that can be a segment of a storage key, different for each directory.</summary>
    public static string Id(Uri url, WellKnownAuthority? known)
    {
        if (known is not null)
        {
            return known.Name.ToLowerInvariant();
        }

        var readable = $"{url.IdnHost}-{url.Port}{url.AbsolutePath}".ToLowerInvariant().TrimEnd('/');
        var segment = string.Concat(readable.Take(MaxIdLength).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '-'));
        return $"{segment}+{CertificateId.Hash(url.AbsoluteUri)}";
    }

    private static Uri? ReadUrl(string given, string key, ProblemList problems)
    {
        if (!Uri.TryCreate(given, UriKind.Absolute, out var url) || url.Scheme is not ("https" or "http") || url.Host.Length == 0)
        {
            problems.Add(key, given.Contains('@') ? null : given, "is not a URL of a directory", "Write a URL that begins with 'https://'");
            return null;
        }

        if (url.UserInfo.Length > 0)
        {
            problems.Add(key, null, "has a user name or password in it", "Leave it out: ACME identifies accounts by their key");
            return null;
        }

        if (url.Scheme == "http" && !IsOwnMachine(url))
        {
            problems.Add(key, given, "is not encrypted, and not on this machine", $"Write '{new UriBuilder(url) { Scheme = "https", Port = url.IsDefaultPort ? -1 : url.Port }.Uri}'");
            return null;
        }

        return url;
    }

    private static bool IsOwnMachine(Uri url) => url.IsLoopback || url.IdnHost.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    private static string Names() => string.Join(", ", WellKnownAuthorities.All.Select(authority => authority.Name));
}
