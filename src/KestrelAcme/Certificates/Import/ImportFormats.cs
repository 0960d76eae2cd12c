using KestrelAcme.Configuration;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.Import;

/// <summary>Recognizes the folders of other ACME clients by their files, and reads them.</summary>
internal static class ImportFormats
{
    private const string Known = "Certbot, LettuceEncrypt, AutoHttps, Posh-ACME or Caddy";

    // The more special ones first.
    private static readonly ImportKind[] Kinds =
        [ImportKind.Certbot, ImportKind.PoshAcme, ImportKind.Caddy, ImportKind.AutoHttps, ImportKind.LettuceEncrypt];

    // Where Caddy keeps its storage, seen from the home folder of its user, and from the volume of its container image.
    private static readonly string[] Below = ["", ".local/share/caddy", "caddy"];

    /// <summary>Reads a folder. Never throws because of what it finds there.</summary>
    /// <param name="import">The folder.</param>
    /// <param name="authorities">The configured CAs.</param>
    /// <param name="wanted">The configured names, and the wildcards that cover them.</param>
    public static ImportScan Read(
        ImportSpecification import, IReadOnlyList<AuthoritySpecification> authorities, IReadOnlySet<string> wanted)
    {
        var scan = new ImportScan(import, authorities, wanted);
        try
        {
            if (!Directory.Exists(import.Path))
            {
                var reason = File.Exists(import.Path)
                    ? "it is a file, not a folder"
                    : "the folder does not exist, or the app's user may not see it";
                scan.Skip(import.Path, reason, "Correct Path in ImportFrom, or remove the entry if everything has moved");
                return scan;
            }

            if (Find(import) is not var (kind, path))
            {
                scan.Skip(
                    import.Path, $"it has no files of {(import.Kind is { } given ? NameOf(given) : Known)}",
                    "Correct Path in ImportFrom, and set Kind if the files are there");
                return scan;
            }

            scan = new ImportScan(import with { Path = path, Kind = kind }, authorities, wanted);
            Reader(kind)(scan);
        }
        catch (Exception exception)
        {
            // Whatever is there, the start and the other folders go on.
            scan.Report(import.Path, exception);
        }

        return scan;
    }

    /// <summary>The client's own name.</summary>
    public static string NameOf(ImportKind? kind) => kind switch
    {
        ImportKind.PoshAcme => "Posh-ACME",
        null => "an ACME client",
        _ => $"{kind}",
    };

    private static (ImportKind Kind, string Path)? Find(ImportSpecification import)
    {
        foreach (var below in Below)
        {
            var path = Path.Combine(import.Path, below);
            foreach (var kind in Kinds)
            {
                if ((import.Kind is null || import.Kind == kind) && (below.Length == 0 || kind == ImportKind.Caddy)
                    && Directory.Exists(path) && IsThere(kind, path))
                {
                    return (kind, path);
                }
            }
        }

        return null;
    }

    private static bool IsThere(ImportKind kind, string path) => kind switch
    {
        ImportKind.Certbot => CertbotFolder.IsThere(path),
        ImportKind.PoshAcme => PoshAcmeFolder.IsThere(path),
        ImportKind.Caddy => CaddyFolder.IsThere(path),
        ImportKind.AutoHttps => AutoHttpsFolder.IsThere(path),
        _ => LettuceEncryptFolder.IsThere(path),
    };

    private static Action<ImportScan> Reader(ImportKind kind) => kind switch
    {
        ImportKind.Certbot => CertbotFolder.Read,
        ImportKind.PoshAcme => PoshAcmeFolder.Read,
        ImportKind.Caddy => CaddyFolder.Read,
        ImportKind.AutoHttps => AutoHttpsFolder.Read,
        _ => LettuceEncryptFolder.Read,
    };
}

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
