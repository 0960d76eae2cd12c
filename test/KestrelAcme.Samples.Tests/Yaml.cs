using System.Text;
using System.Text.Json.Nodes;

namespace KestrelAcme.Samples.Tests;

/// <summary>
/// Reads the YAML that samples and documentation use: mappings, lists and scalars on one line, in block and in flow style. Stricter than
/// YAML: no tabs, no duplicate keys, nothing that is rarely used.
/// </summary>
internal sealed class Yaml
{
    private readonly List<Line> _lines = [];
    private int _next;

    private Yaml(IEnumerable<string> lines)
    {
        var number = 0;
        foreach (var line in lines)
        {
            number++;
            var text = WithoutComment(line).TrimEnd();
            if (text.Length > 0)
            {
                var indent = text.Length - text.TrimStart(' ').Length;
                _lines.Add(text[indent] == '\t' ? throw Wrong(number, "a tab") : new Line(number, indent, text[indent..]));
            }
        }
    }

    private bool AtEnd => _next == _lines.Count;

    private Line Current => _lines[_next];

    /// <summary>Returns the documents of a text: scalars are texts, and an empty value is null.</summary>
    /// <exception cref="FormatException">The text is not valid.</exception>
    public static List<JsonNode?> Read(string text)
    {
        var documents = new List<List<string>> { new() };
        foreach (var line in text.Split('\n'))
        {
            if (line.TrimEnd() == "---")
            {
                documents.Add([]);
            }
            else
            {
                documents[^1].Add(line);
            }
        }

        return [.. documents.Select(lines => new Yaml(lines)).Where(reader => !reader.AtEnd).Select(reader => reader.Document())];
    }

    private JsonNode? Document()
    {
        var node = Block(Current.Indent);
        return AtEnd ? node : throw Wrong(Current.Number, "a line that belongs to nothing: look at its indentation");
    }

    private JsonNode? Block(int indent)
    {
        if (IsItem(Current.Text))
        {
            return List(indent);
        }

        if (KeyLength(Current.Text) > 0)
        {
            return Mapping(indent);
        }

        var line = _lines[_next++];
        return new Inline(line).Value();
    }

    private JsonArray List(int indent)
    {
        var list = new JsonArray();
        while (!AtEnd && Current.Indent == indent && IsItem(Current.Text))
        {
            var rest = Current.Text[1..].TrimStart();
            if (rest.Length == 0)
            {
                _next++;
                list.Add(!AtEnd && Current.Indent > indent ? Block(Current.Indent) : null);
                continue;
            }

            _lines[_next] = Current with { Indent = Current.Indent + Current.Text.Length - rest.Length, Text = rest };
            list.Add(Block(Current.Indent));
        }

        return list;
    }

    private JsonObject Mapping(int indent)
    {
        var mapping = new JsonObject();
        while (!AtEnd && Current.Indent == indent && !IsItem(Current.Text))
        {
            var line = _lines[_next++];
            var length = KeyLength(line.Text);
            var key = length > 0 ? line.Text[..length].Trim('"', '\'') : throw Wrong(line.Number, "no key");
            var rest = line.Text[(length + 1)..].TrimStart();
            var value = rest.Length > 0
                ? new Inline(line with { Text = rest }).Value()
                : AtEnd || Current.Indent < indent || (Current.Indent == indent && !IsItem(Current.Text)) ? null : Block(Current.Indent);
            if (!mapping.TryAdd(key, value))
            {
                throw Wrong(line.Number, $"the key {key} twice");
            }
        }

        return mapping;
    }

    private static bool IsItem(string text) => text == "-" || text.StartsWith("- ", StringComparison.Ordinal);

    /// <summary>The length of the key at the start of a line, or 0 if the line has none.</summary>
    private static int KeyLength(string text)
    {
        if (text[0] is '{' or '[')
        {
            return 0;
        }

        var start = text[0] is '"' or '\'' ? text.IndexOf(text[0], 1) + 1 : 0;
        var colon = text.IndexOf(": ", start, StringComparison.Ordinal);
        return colon > 0 ? colon : text.EndsWith(':') ? text.Length - 1 : 0;
    }

    private static string WithoutComment(string line)
    {
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            if (quote != '\0')
            {
                quote = line[i] == quote ? '\0' : quote;
            }
            else if (line[i] is '"' or '\'' && (i == 0 || line[i - 1] is ' ' or '[' or '{' or ','))
            {
                quote = line[i];
            }
            else if (line[i] == '#' && (i == 0 || line[i - 1] == ' '))
            {
                return line[..i];
            }
        }

        return line;
    }

    private static FormatException Wrong(int line, string what) => new($"Line {line} has {what}.");

    private sealed record Line(int Number, int Indent, string Text);

    /// <summary>A value on one line.</summary>
    private sealed class Inline(Line line)
    {
        private int _at;

        private char Next => _at < line.Text.Length ? line.Text[_at] : '\0';

        public JsonNode? Value()
        {
            if (Next is not ('[' or '{' or '"' or '\''))
            {
                return Plain(line.Text);
            }

            var value = Node();
            return _at == line.Text.Length ? value : throw Wrong(line.Number, $"text after a value: {line.Text[_at..]}");
        }

        private JsonNode? Node()
        {
            switch (Next)
            {
                case '[':
                    var list = new JsonArray();
                    Elements(']', () => list.Add(Node()));
                    return list;
                case '{':
                    var mapping = new JsonObject();
                    Elements('}', () =>
                    {
                        var key = Until(":");
                        Skip(':');
                        if (!mapping.TryAdd(key.Trim(), Node()))
                        {
                            throw Wrong(line.Number, $"the key {key} twice");
                        }
                    });
                    return mapping;
                case '"' or '\'':
                    var quote = line.Text[_at++];
                    var text = Until(quote.ToString());
                    Skip(quote);
                    return text;
                default:
                    return Plain(Until(",]}").Trim());
            }
        }

        private void Elements(char end, Action element)
        {
            _at++;
            Spaces();
            while (Next != end)
            {
                element();
                Spaces();
                if (Next == ',')
                {
                    Skip(',');
                }
                else if (Next != end)
                {
                    throw Wrong(line.Number, $"no {end}");
                }
            }

            Skip(end);
        }

        private JsonNode Plain(string text)
            => text.Length == 0 || "|>&*!%@`".Contains(text[0]) || text.Contains(": ", StringComparison.Ordinal)
                ? throw Wrong(line.Number, $"a value that must be quoted, or is not read: {text}")
                : text;

        private string Until(string ends)
        {
            var text = new StringBuilder();
            while (_at < line.Text.Length && !ends.Contains(Next))
            {
                text.Append(line.Text[_at++]);
            }

            return text.ToString();
        }

        private void Skip(char expected)
        {
            if (Next != expected)
            {
                throw Wrong(line.Number, $"no {expected}");
            }

            _at++;
            Spaces();
        }

        private void Spaces()
        {
            while (Next == ' ')
            {
                _at++;
            }
        }
    }
}
