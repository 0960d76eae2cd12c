using KestrelAcme.Certificates;
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
