using KestrelAcme.Certificates;
using KestrelAcme.Certificates.Import;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Storage;

namespace KestrelAcme.Hosting.Doctor;

/// <summary>Tries the store, and looks at who can access its folder.</summary>
internal sealed class StoreExaminer(BoundedStorage storage, ConfigurationSource configuration)
{
    // Enough to notice a wrong umask or a copied folder.
    private const int MostFiles = 1000;

    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Writes and removes a trial value, and finds out whether the store survives a restart.</summary>
    public async Task<IReadOnlyList<DiagnosisFinding>> ExamineAsync(CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        var health = await storage.CheckAsync(cancellationToken);
        var finding = HostVerdicts.Store(health, snapshot);
        return health.Place == snapshot.StoragePath && !OperatingSystem.IsWindows() && Directory.Exists(health.Place)
            ? [finding, Access(health.Place)]
            : [finding];
    }

    private static DiagnosisFinding Access(string folder)
    {
        var readable = OperatingSystem.IsWindows() ? [] : Directory
            .EnumerateFiles(folder, "*.pem", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
            .Take(MostFiles)
            .Where(IsReadableByOthers)
            .ToList();
        return HostVerdicts.Access(folder, OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(folder), readable);
    }

    private static bool IsReadableByOthers(string file)
    {
        try
        {
            return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(file) & Others) != 0;
        }
        catch (IOException)
        {
            // It was replaced meanwhile.
            return false;
        }
    }
}

/// <summary>Looks into the folders of other ACME clients. Nothing is imported, and nothing is changed.</summary>
internal sealed class ImportExaminer(
    CertificateCatalog catalog, ConfigurationSource configuration, ClientFolders folders, TimeProvider time)
{
    /// <summary>Examines the folders of <c>ImportFrom</c>; if there are none and certificates are missing, the usual ones.</summary>
    public IReadOnlyList<DiagnosisFinding> Examine(CancellationToken cancellationToken)
    {
        var snapshot = configuration.Current;
        var now = time.GetUtcNow();
        var covering = ImportPolicy.Covering(catalog.All);
        var missing = catalog.All.Where(c => !c.Specification.IsOnDemand && !ImportPolicy.HasUsable(c, now)).ToList();
        if (snapshot.ImportFrom.Count > 0)
        {
            var scans = snapshot.ImportFrom.Select(import => Read(import, snapshot, covering, cancellationToken)).ToList();
            List<ImportedCertificate> all = [.. scans.SelectMany(s => s.Certificates)];
            return
            [
                .. scans.SelectMany(ImportVerdicts.Configured),
                .. ImportVerdicts.Useless(missing.Select(c => ImportPolicy.Explain(c, all, now)).OfType<ImportProblem>()),
            ];
        }

        // Those who have all certificates have moved already, or never used another client.
        return missing.Count == 0 ? [] :
        [
            .. from path in folders.Paths
               where Directory.Exists(path)
               let scan = Read(new ImportSpecification(path, null), snapshot, covering, cancellationToken)
               let count = missing.Count(c => ImportPolicy.Choose(c, scan.Certificates, now) is not null)
               where count > 0 || (scan.IsUnreadable && scan.Import.Kind is not null)
               select ImportVerdicts.Found(scan, count),
        ];
    }

    private static ImportScan Read(
        ImportSpecification import, ConfigurationSnapshot snapshot, IReadOnlySet<string> covering, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ImportFormats.Read(import, snapshot.Authorities, covering);
    }
}

/// <summary>Where other ACME clients keep their files.</summary>
internal sealed record ClientFolders(IReadOnlyList<string> Paths)
{
    public static ClientFolders Usual { get; } = new(
    [
        .. OperatingSystem.IsWindows() ? [] : new[] { "/etc/letsencrypt", "/var/lib/caddy" },
        .. Below(Environment.SpecialFolder.UserProfile, ".local/share/caddy", ".config/Posh-ACME", CertificateStore),
        .. Below(Environment.SpecialFolder.LocalApplicationData, "Posh-ACME", "autohttps"),
    ]);

    // Without a folder of its own, LettuceEncrypt uses the user's certificate store, which is a folder except on Windows and macOS.
    private const string CertificateStore = ".dotnet/corefx/cryptography/x509stores/my";

    // A user may have no home.
    private static IEnumerable<string> Below(Environment.SpecialFolder folder, params IEnumerable<string> names)
        => Environment.GetFolderPath(folder) is { Length: > 0 } root ? names.Select(name => Path.Combine(root, name)) : [];
}

/// <summary>Judges what other ACME clients left. Pure.</summary>
internal static class ImportVerdicts
{
    public const string Import = "import";

    private const int MostProblems = 5;

    /// <summary>Judges a folder of <c>ImportFrom</c>.</summary>
    public static IEnumerable<DiagnosisFinding> Configured(ImportScan scan)
    {
        if (scan.Problems.Count == 0 || !scan.IsFruitless)
        {
            yield return DiagnosisFinding.Ok(
                Import, null, $"{Describe(scan)} has {Count(scan.Certificates.Count, "certificate")} for names of this app and "
                + $"{Count(scan.Accounts.Count, "account")} at its CAs. The app takes over at its start what its store lacks.");
        }

        foreach (var finding in Useless(scan.Problems))
        {
            yield return finding;
        }
    }

    /// <summary>Judges what cannot be imported.</summary>
    public static IEnumerable<DiagnosisFinding> Useless(IEnumerable<ImportProblem> problems)
        => problems.Take(MostProblems).Select(p => DiagnosisFinding.Warning(
            Import, null, $"'{p.Path}' is not imported: {p.Reason}.", $"{p.Fix}."));

    /// <summary>Judges a folder that nobody configured.</summary>
    /// <param name="scan">What it has.</param>
    /// <param name="count">The number of certificates that would be imported; zero if it cannot be read.</param>
    public static DiagnosisFinding Found(ImportScan scan, int count)
        => count > 0
            ? DiagnosisFinding.Warning(
                Import, null,
                $"{Describe(scan)} has {Count(count, "certificate")} that this app lacks. Without them, it orders new ones.",
                $"To take them over together with the account, set AcmeHttps:ImportFrom to [ \"{scan.Import.Path}\" ].")
            : DiagnosisFinding.Ok(
                Import, null,
                $"{Describe(scan)} cannot be read by the app's user. If it has certificates for names of this app, docs/migration.md says "
                + "how to take them over.");

    private static string Describe(ImportScan scan) => $"{scan.Import.Path} ({ImportFormats.NameOf(scan.Import.Kind)})";

    private static string Count(int count, string noun) => count == 1 ? $"1 {noun}" : $"{(count == 0 ? "no" : count)} {noun}s";
}
