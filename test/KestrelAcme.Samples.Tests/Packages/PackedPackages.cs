using System.IO.Compression;
using System.Xml.Linq;
using KestrelAcme.Testing;

namespace KestrelAcme.Samples.Tests.Packages;

/// <summary>The packages that were packed to artifacts/packages. Skips the running test if they were not.</summary>
internal static class PackedPackages
{
    /// <summary>The folder.</summary>
    public static string Folder()
    {
        var folder = Path.Combine(BuiltSample.Root(), "artifacts", "packages");
        if (!File.Exists(Path.Combine(folder, $"KestrelAcme.AspNetCore.{Version()}.nupkg")))
        {
            RequireServer.Missing("The packages are not packed (dotnet pack -o artifacts/packages).");
        }

        return folder;
    }

    /// <summary>The version of all packages.</summary>
    public static string Version()
        => XDocument.Load(Path.Combine(BuiltSample.Root(), "Directory.Build.props")).Descendants("Version").Single().Value;

    /// <summary>Opens a package.</summary>
    public static ZipArchive Open(string id, string extension = "nupkg")
        => ZipFile.OpenRead(Path.Combine(Folder(), $"{id}.{Version()}.{extension}"));
}
