namespace Wildcard;

/// <summary>The TXT records of a zone.</summary>
internal sealed class Zone(string apex)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<string>> _texts = new(StringComparer.OrdinalIgnoreCase);

    public string Apex => apex;

    public bool Holds(string name)
        => name.Equals(apex, StringComparison.OrdinalIgnoreCase) || name.EndsWith("." + apex, StringComparison.OrdinalIgnoreCase);

    public IReadOnlyList<string> TextsOf(string name)
    {
        lock (_gate)
        {
            return _texts.TryGetValue(name, out var values) ? [.. values] : [];
        }
    }

    public void Add(string name, string value)
    {
        lock (_gate)
        {
            if (!_texts.TryGetValue(name, out var values))
            {
                _texts[name] = values = [];
            }

            if (!values.Contains(value))
            {
                values.Add(value);
            }
        }
    }

    public void Remove(string name, string value)
    {
        lock (_gate)
        {
            if (_texts.TryGetValue(name, out var values) && values.Remove(value) && values.Count == 0)
            {
                _texts.Remove(name);
            }
        }
    }
}
