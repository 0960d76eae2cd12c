using KestrelAcme.Configuration;
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
