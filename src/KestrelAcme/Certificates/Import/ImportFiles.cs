using System.Text;
using System.Text.Json;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Diagnostics;
using KestrelAcme.Storage.FileSystem;

namespace KestrelAcme.Certificates.Import;

/// <summary>
/// Reads the files of another program, within limits, and never writes. A file that cannot be read becomes a problem, not an exception.
/// </summary>
internal abstract class ImportFiles
{
    public const string Restore = "Restore it from a backup, or remove it: a certificate that is missing is ordered";

    private const int MaxFileLength = 1024 * 1024;
    private const int MaxEntries = 20_000;

    public List<ImportProblem> Problems { get; } = [];

    /// <summary>Whether the system refused to read something, which an operator can change.</summary>
    public bool IsUnreadable { get; private set; }

    public void Skip(string path, string reason, string fix) => Problems.Add(new ImportProblem(path, reason, fix));

    /// <summary>Returns the paths of the folders in a folder, in order; none if it does not exist.</summary>
    public List<string> Folders(string path) => List(path, Directory.EnumerateDirectories);

    /// <summary>Returns the paths of the files in a folder whose names have an ending, in order; none if it does not exist.</summary>
    public List<string> Files(string path, string ending)
        => List(path, folder => Directory.EnumerateFiles(folder).Where(f => f.EndsWith(ending, StringComparison.OrdinalIgnoreCase)));

    /// <summary>Reads a file, also through links; <see langword="null"/> if it does not exist, or after a problem.</summary>
    public byte[]? Read(string path)
    {
        try
        {
            // By the system: .NET resolves '..' in a link without looking whether the folder before it is a link, too.
            using var file = RegularFile.OpenIfExists(path, followLinks: true);
            if (file is null)
            {
                return null;
            }

            var length = RandomAccess.GetLength(file);
            if (length > MaxFileLength)
            {
                Skip(path, $"it has {length} bytes, more than any file of an ACME client", "Remove it from the folder");
                return null;
            }

            var content = new byte[length];
            var read = 0;
            while (read < content.Length && RandomAccess.Read(file, content.AsSpan(read), read) is > 0 and var count)
            {
                read += count;
            }

            return content[..read];
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(path, exception);
            return null;
        }
    }

    /// <summary>Reads a text in any encoding; <see langword="null"/> if it does not exist, or after a problem.</summary>
    public string? ReadText(string path) => Read(path) is { } content ? Encoding.UTF8.GetString(StoredText.Normalize(content)) : null;

    /// <summary>Reads a JSON object; <see langword="null"/> if it does not exist, or after a problem.</summary>
    public JsonElement? ReadJson(string path)
    {
        if (Read(path) is not { } content)
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(StoredText.Normalize(content).ToArray());
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document.RootElement.Clone();
            }
        }
        catch (JsonException)
        {
            // Reported below, without the parser's message, which may quote a secret.
        }

        Skip(path, "it is not a JSON object", Restore);
        return null;
    }

    /// <summary>Reads a file; one that does not exist is a problem, too.</summary>
    protected byte[]? ReadRequired(string path)
    {
        var before = Problems.Count;
        var content = Read(path);
        if (content is null && Problems.Count == before)
        {
            Skip(path, "it does not exist, or it is a link that leads nowhere", "Copy the whole folder again, with its links ('cp -a')");
        }

        return content;
    }

    private List<string> List(string path, Func<string, IEnumerable<string>> enumerate)
    {
        try
        {
            List<string> all = [.. enumerate(path).Take(MaxEntries + 1).Order(StringComparer.Ordinal)];
            if (all.Count > MaxEntries)
            {
                Skip(path, $"it has more than {MaxEntries} entries", "The rest is not imported: move some of them to another folder");
                all.RemoveAt(MaxEntries);
            }

            return all;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            Report(path, exception);
            return [];
        }
    }

    /// <summary>Adds the problem of a path that the system refused to read.</summary>
    public void Report(string path, Exception exception)
    {
        IsUnreadable = true;
        if (exception is UnauthorizedAccessException)
        {
            Skip(
                path, "the app's user may not read it",
                "Give the user read access to it, or copy the whole folder to one that the user can read, and name that in ImportFrom");
        }
        else
        {
            Skip(path, $"it cannot be read ({QuotedText.Words(exception.Message.TrimEnd('.'))})", Restore);
        }
    }
}

/// <summary>What was not imported, and why. The reason is a clause without a period; so is the fix.</summary>
internal sealed record ImportProblem(string Path, string Reason, string Fix);
