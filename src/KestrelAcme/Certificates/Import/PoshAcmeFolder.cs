using KestrelAcme.Configuration.Rules;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// The folder of Posh-ACME: <c>{CA}/dir.json</c>, <c>{CA}/{account}/acct.json</c> with the key as a JWK, and <c>{CA}/{account}/{order}</c>
/// with the certificate.
/// </summary>
internal static class PoshAcmeFolder
{
    public static bool IsThere(string root)
        => File.Exists(Path.Combine(root, "current-server.txt"))
            || Directory.EnumerateDirectories(root).Any(server => File.Exists(Path.Combine(server, "dir.json")));

    public static void Read(ImportScan scan)
    {
        foreach (var server in scan.Folders(scan.Import.Path))
        {
            if (scan.ReadJson(Path.Combine(server, "dir.json")) is { } description)
            {
                ReadServer(scan, server, ImportedKeys.Url(description, "location"));
            }
        }
    }

    private static void ReadServer(ImportScan scan, string server, Uri? directory)
    {
        // The account that is in use comes first.
        var current = scan.ReadText(Path.Combine(server, "current-account.txt"))?.Trim();
        foreach (var folder in scan.Folders(server).OrderByDescending(account => Path.GetFileName(account) == current))
        {
            var path = Path.Combine(folder, "acct.json");
            if (scan.ReadJson(path) is not { } account)
            {
                continue;
            }

            var url = ImportedKeys.Url(account, "location");
            if (directory is not null
                && scan.Authorities.Any(a => a.DirectoryUrl == directory)
                && ForeignJson.Text(account, "status") is null or "valid")
            {
                scan.AddAccount(path, directory!, account.TryGetProperty("key", out var key) ? ImportedKeys.PemOfJwk(key) : null, url);
            }

            // An order without a certificate was not finished.
            foreach (var order in scan.Folders(folder).Where(order => File.Exists(Path.Combine(order, "fullchain.cer"))))
            {
                scan.AddCertificate(Path.Combine(order, "fullchain.cer"), Path.Combine(order, "cert.key"), directory, url);
            }
        }
    }
}
