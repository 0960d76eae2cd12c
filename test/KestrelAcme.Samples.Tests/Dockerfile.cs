using System.Text.Json;
using System.Text.RegularExpressions;

namespace KestrelAcme.Samples.Tests;

/// <summary>The instructions of a Dockerfile, with the known ones only.</summary>
internal sealed partial class Dockerfile
{
    private static readonly string[] Known =
        ["FROM", "WORKDIR", "COPY", "RUN", "ENV", "EXPOSE", "USER", "ENTRYPOINT"];

    private readonly List<(string Name, string Value)> _last = [];

    public Dockerfile(string path)
    {
        var text = string.Join('\n', File.ReadLines(path).Where(line => !line.StartsWith('#')));
        foreach (var line in text.Replace("\\\n", " ", StringComparison.Ordinal).Split('\n').Select(line => line.Trim()))
        {
            if (line.Length == 0)
            {
                continue;
            }

            var name = line.Split(' ')[0];
            if (!Known.Contains(name) || (Stages == 0 && name != "FROM"))
            {
                throw new FormatException($"{path}: {line}");
            }

            if (name == "FROM")
            {
                Stages++;
                _last.Clear();
            }

            _last.Add((name, line[name.Length..].Trim()));
        }
    }

    /// <summary>The number of stages; the last one is the image.</summary>
    public int Stages { get; }

    /// <summary>The image that the last stage starts from.</summary>
    public string Base => One("FROM");

    public string User => One("USER");

    public IReadOnlyList<string> Ports => One("EXPOSE").Split(' ');

    /// <summary>The folders that belong to the user.</summary>
    public IEnumerable<string> Owned
        => _last.Where(line => line.Name == "COPY" && line.Value.Contains($"--chown={User} ", StringComparison.Ordinal))
            .Select(line => line.Value.Split(' ')[^1]);

    public IReadOnlyList<string> Entry => JsonSerializer.Deserialize<string[]>(One("ENTRYPOINT"))!;

    public Dictionary<string, string?> Environment
        => Variable().Matches(One("ENV")).ToDictionary(match => match.Groups[1].Value, string? (match) => match.Groups[2].Value);

    private string One(string name) => _last.Single(line => line.Name == name).Value;

    [GeneratedRegex(@"(\w+)=(\S+)")]
    private static partial Regex Variable();
}
