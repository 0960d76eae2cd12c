using KestrelAcme.Configuration;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// The storage of Caddy, and of other programs with CertMagic: <c>certificates/{CA}/{name}/{name}.crt</c> with its key and a description in
/// JSON, and <c>acme/{CA}/users/{address}</c>.
/// </summary>
internal static class CaddyFolder
{
    // Caddy's own CA, whose certificates last for hours and which no public client trusts.
    private const string Internal = "local";

    public static bool IsThere(string root)
        => Directory.Exists(Path.Combine(root, "acme")) || (Directory.Exists(Path.Combine(root, "certificates"))
            && Directory.EnumerateDirectories(Path.Combine(root, "certificates")).Any());

    public static void Read(ImportScan scan)
    {
        var root = scan.Import.Path;
        var directories = scan.Authorities.Select(a => a.DirectoryUrl).Concat(WellKnownAuthorities.All.Select(a => a.DirectoryUrl))
            .DistinctBy(FolderOf).ToDictionary(FolderOf, StringComparer.Ordinal);
        foreach (var authority in scan.Authorities.Select(a => a.DirectoryUrl).Distinct())
        {
            var users = scan.Folders(Path.Combine(root, "acme", FolderOf(authority), "users"));

            // The most recent one is used if the address is not configured.
            foreach (var user in users.OrderByDescending(Directory.GetLastWriteTimeUtc))
            {
                ReadAccount(scan, user, authority);
            }
        }

        foreach (var issuer in scan.Folders(Path.Combine(root, "certificates")).Where(i => Path.GetFileName(i) != Internal))
        {
            foreach (var site in scan.Folders(issuer))
            {
                ReadCertificate(scan, Path.Combine(site, Path.GetFileName(site)), directories.GetValueOrDefault(Path.GetFileName(issuer)));
            }
        }
    }

    private static void ReadCertificate(ImportScan scan, string path, Uri? directory)
    {
        if (File.Exists($"{path}.crt"))
        {
            directory ??= scan.ReadJson($"{path}.json") is { } description && description.TryGetProperty("issuer_data", out var issuer)
                ? ImportedKeys.Url(issuer, "ca")
                : null;
            scan.AddCertificate($"{path}.crt", $"{path}.key", directory, scan.Accounts.Find(a => a.DirectoryUrl == directory)?.Url);
        }
    }

    private static void ReadAccount(ImportScan scan, string user, Uri directory)
    {
        foreach (var keyPath in scan.Files(user, ".key"))
        {
            var registration = scan.ReadJson(Path.ChangeExtension(keyPath, ".json"));
            var url = registration is { } json ? ImportedKeys.Url(json, "location") : null;
            scan.AddAccount(keyPath, directory, scan.ReadText(keyPath), url);
        }
    }

    /// <summary>Returns the name of a CA's folder: host, port and path of the directory, as one segment.</summary>
    internal static string FolderOf(Uri directory)
    {
        var path = directory.AbsolutePath.Replace('/', '-').Trim('-');
        var name = $"{directory.Authority}{(path.Length > 0 ? "-" : "")}{path}".ToLowerInvariant()
            .Replace("+", "_plus_", StringComparison.Ordinal)
            .Replace(':', '-');
        return string.Concat(name.Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '@' or '.' or '-'));
    }
}
