using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Storage;

/// <summary>Where to store when nobody said.</summary>
internal static class DefaultStoragePath
{
    private const string FolderName = "kestrel-acme";

    /// <summary>Finds the folder for this user on this machine.</summary>
    public static StoragePathChoice Find() => Choose(
        Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData, Environment.SpecialFolderOption.DoNotVerify),
        Environment.GetEnvironmentVariable("HOME"),
        OperatingSystem.IsWindows(),
        CanCreate);

    /// <summary>Decides on a folder.</summary>
    /// <param name="localApplicationData">The user's local application data; empty when there is none.</param>
    /// <param name="applicationData">The user's roaming application data; empty when there is none.</param>
    /// <param name="home">The variable <c>HOME</c>.</param>
    /// <param name="windows">Whether this is Windows, which knows no <c>HOME</c>.</param>
    /// <param name="canWrite">Whether a folder exists that can be written, or can be made.</param>
    public static StoragePathChoice Choose(string localApplicationData, string applicationData, string? home, bool windows, Func<string, bool> canWrite)
    {
        foreach (var data in new[] { localApplicationData, applicationData })
        {
            if (Path.IsPathFullyQualified(data) && canWrite(Path.Join(data, FolderName)))
            {
                return new(Path.Join(data, FolderName), Problem: null);
            }
        }

        return new(Path: null, $"There is no folder to store certificates in: {Explain(localApplicationData, home, windows)}. "
            + "Set AcmeHttps:StoragePath (AcmeHttps__StoragePath in the environment) to a folder that the app may write; in a container, to a mounted volume.");
    }

    private static string Explain(string data, string? home, bool windows)
    {
        if (!windows && string.IsNullOrEmpty(home))
        {
            return "HOME is not set, and the user's own folder cannot be written";
        }

        if (!windows && home == "/")
        {
            return "HOME is '/', which the user cannot write, as is usual for a container's non-root user";
        }

        return data.Length == 0 ? "the user has no application data folder (its profile is not loaded)" : $"'{Path.Join(data, FolderName)}' cannot be written";
    }

    private static bool CanCreate(string folder)
    {
        try
        {
            FilePermissions.CreateFolder(folder);
            var trial = StoragePaths.Temporary(folder, Guid.NewGuid().ToString("n"));
            using (FilePermissions.Open(trial, FileMode.CreateNew, FileAccess.Write, FileShare.None))
            {
            }

            AtomicFile.TryDelete(trial);
            return true;
        }
        catch (Exception exception) when (FileFault.Covers(exception))
        {
            return false;
        }
    }
}
