using System.Text;
using KestrelAcme.Configuration.Rules;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// The folder of Certbot: <c>live/{name}</c> with links to the current files, <c>renewal/{name}.conf</c> with the CA and the account, and
/// <c>accounts/{host}/{path}/{id}</c>.
/// </summary>
internal static class CertbotFolder
{
    public static bool IsThere(string root)
        => Directory.Exists(Path.Combine(root, "live"))
            || (Directory.Exists(Path.Combine(root, "accounts")) && Directory.Exists(Path.Combine(root, "renewal")));

    public static void Read(ImportScan scan)
    {
        var root = scan.Import.Path;
        var lineages = scan.Folders(Path.Combine(root, "live"))
            .ConvertAll(live => (Live: live, Renewal: ReadRenewal(scan, Path.Combine(root, "renewal", $"{Path.GetFileName(live)}.conf"))));
        var accounts = ReadAccounts(scan, lineages.Select(l => l.Renewal.Account).OfType<string>().ToHashSet(StringComparer.Ordinal));
        foreach (var (live, renewal) in lineages)
        {
            var account = accounts.GetValueOrDefault((renewal.Server, renewal.Account ?? ""));
            scan.AddCertificate(Path.Combine(live, "fullchain.pem"), Path.Combine(live, "privkey.pem"), renewal.Server, account);
        }
    }

    // Lines such as "server = https://...", which the file has once.
    private static (Uri? Server, string? Account) ReadRenewal(ImportScan scan, string path)
    {
        Uri? server = null;
        string? account = null;
        foreach (var line in Encoding.UTF8.GetString(scan.Read(path) ?? []).Split('\n'))
        {
            if (line.IndexOf('=', StringComparison.Ordinal) is > 0 and var at)
            {
                var value = line[(at + 1)..].Trim();
                switch (line[..at].Trim())
                {
                    case "server":
                        server = ImportedKeys.UrlOf(value);
                        break;
                    case "account":
                        account = value;
                        break;
                }
            }
        }

        return (server, account);
    }

    /// <summary>Reads the accounts at configured CAs: first those that certificates are renewed with, then the newest.</summary>
    /// <returns>The account URLs, by CA and account ID.</returns>
    private static Dictionary<(Uri?, string), Uri?> ReadAccounts(ImportScan scan, HashSet<string> used)
    {
        var urls = new Dictionary<(Uri?, string), Uri?>();
        foreach (var directory in scan.Authorities.Select(a => a.DirectoryUrl).Distinct())
        {
            var folder = Path.Combine(scan.Import.Path, "accounts", directory.Authority, directory.AbsolutePath.Trim('/'));
            var best = scan.Folders(folder)
                .Where(account => File.Exists(Path.Combine(account, "private_key.json")))
                .OrderByDescending(account => used.Contains(Path.GetFileName(account)))
                .ThenByDescending(account => CreatedAt(scan, account), StringComparer.Ordinal);
            foreach (var account in best)
            {
                var keyPath = Path.Combine(account, "private_key.json");
                if (scan.ReadJson(keyPath) is { } jwk)
                {
                    var registration = scan.ReadJson(Path.Combine(account, "regr.json"));
                    var url = registration is { } json ? ImportedKeys.Url(json, "uri") : null;
                    scan.AddAccount(keyPath, directory, ImportedKeys.PemOfJwk(jwk), url);
                    urls[(directory, Path.GetFileName(account))] = url;
                }
            }
        }

        return urls;
    }

    // RFC 3339 in UTC, so that texts compare as times.
    private static string CreatedAt(ImportScan scan, string account)
        => scan.ReadJson(Path.Combine(account, "meta.json")) is { } meta ? ForeignJson.Text(meta, "creation_dt") ?? "" : "";
}
