using Xunit;

namespace KestrelAcme.Testing;

/// <summary>A new empty folder that only its owner can read, deleted with its contents on disposal.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private const int MostAttempts = 50;
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>The folder's full path.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory($"kestrel-acme-{TestClass}").FullName;

    // A folder that is left tells whose it is. Short, because the paths of sockets are at most 107 bytes long.
    private static string TestClass
        => TestContext.Current.TestClass?.TestClassSimpleName is { } name ? $"{name[..Math.Min(name.Length, 12)]}-" : "";

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
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                Directory.Delete(Path, recursive: true);
                return;
            }
            catch (DirectoryNotFoundException)
            {
                // The test itself removed it, or a file in it went while it was deleted.
                if (!Directory.Exists(Path))
                {
                    return;
                }
            }
            catch (IOException) when (attempt < MostAttempts)
            {
                // The children of a process that was killed may still write for a moment.
                SpinWait.SpinUntil(static () => false, Pause);
            }
        }
    }
}
