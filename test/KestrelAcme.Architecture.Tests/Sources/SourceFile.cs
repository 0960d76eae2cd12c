using System.Text.RegularExpressions;

namespace KestrelAcme.Architecture.Tests.Sources;

/// <summary>
/// A C# file, read by its looks: file-scoped namespaces put top-level declarations, and nothing else, at the start of a line.
/// </summary>
internal sealed partial class SourceFile
{
    private readonly string[] _lines;

    public SourceFile(string path) : this(Repository.Relative(path), File.ReadAllLines(path))
    {
    }

    public SourceFile(string path, string[] lines) => (Path, _lines) = (path, lines);

    /// <summary>From the repository's root.</summary>
    public string Path { get; }

    public int LineCount => _lines.Length;

    /// <summary>The numbers of the lines that have more than <paramref name="columns"/> characters.</summary>
    public IEnumerable<int> LinesOver(int columns)
        => Enumerable.Range(0, _lines.Length).Where(i => _lines[i].Length > columns).Select(i => i + 1);

    /// <summary>Names of the top-level types, without type parameters.</summary>
    public IReadOnlyList<string> Types
        => [.. _lines.Select(line => Declaration().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value)];

    /// <summary>The top-level types with the number of their lines, from the declaration to the next one's documentation.</summary>
    public IReadOnlyList<(string Name, int Lines)> TypeLengths
    {
        get
        {
            var found = new List<(string Name, int Lines)>();
            var end = _lines.Length;
            for (var i = _lines.Length - 1; i >= 0; i--)
            {
                if (Declaration().Match(_lines[i]) is not { Success: true } match)
                {
                    continue;
                }

                found.Insert(0, (match.Groups["name"].Value, end - i));
                while (i > 0 && (_lines[i - 1].StartsWith("///", StringComparison.Ordinal) || _lines[i - 1].StartsWith('[')))
                {
                    i--;
                }

                end = i;
            }

            return found;
        }
    }

    public string? Namespace
        => _lines.Select(line => NamespaceLine().Match(line)).FirstOrDefault(match => match.Success)?.Groups["name"].Value;

    public IReadOnlyList<string> Usings
        => [.. _lines.Select(line => UsingLine().Match(line)).Where(match => match.Success).Select(match => match.Groups["name"].Value)];

    /// <summary>`Name.cs`, or `Name.Part.cs` for one part of a partial type.</summary>
    public string NameOfFile => System.IO.Path.GetFileName(Path).Split('.')[0];

    public string NamespaceOfFolder
    {
        get
        {
            // src/Project/Folder/File.cs. The options are what users name: their room adds nothing to the namespace.
            var parts = Path.Split('/');
            return string.Join('.', parts[1..^1])
                .Replace("KestrelAcme.Configuration.Options", "KestrelAcme.Configuration", StringComparison.Ordinal);
        }
    }

    [GeneratedRegex(
        @"^(?:(?:public|internal|file|abstract|sealed|static|partial|readonly|ref|unsafe|new)\s+)*"
        + @"(?:class|struct|interface|enum|record(?:\s+(?:class|struct))?|delegate\s+[\w<>\[\]?., ]+?)\s+"
        + @"(?<name>\w+)\s*(?:[<({:;]|$|where\b)")]
    private static partial Regex Declaration();

    [GeneratedRegex(@"^namespace\s+(?<name>[\w.]+)")]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^(?:global\s+)?using\s+(?:static\s+)?(?:\w+\s*=\s*)?(?<name>[\w.]+)")]
    private static partial Regex UsingLine();
}
