namespace KestrelAcme.Testing;

/// <summary>A new empty folder that only its owner can read, deleted with its contents on disposal.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("kestrel-acme-").FullName;

    /// <summary>Returns the full path of a file or folder in this one. Nothing is created.</summary>
    public string Combine(params string[] parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes a text file and creates its folders.</summary>
    /// <returns>Its full path.</returns>
    public string Write(string name, string content)
    {
        var path = Combine(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }

    /// <inheritdoc/>
    public override string ToString() => Path;

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The test itself removed it.
        }
    }
}
