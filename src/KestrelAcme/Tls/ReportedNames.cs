using System.Collections.Concurrent;

namespace KestrelAcme.Tls;

/// <summary>Remembers about which names something was said, so that it is said once.</summary>
internal sealed class ReportedNames
{
    // Past this the operator has read enough.
    private const int MaxNames = 1000;

    private readonly ConcurrentDictionary<string, bool> _names = new(StringComparer.Ordinal);

    /// <summary>Whether the name was not reported before.</summary>
    public bool TryReport(string name) => !_names.ContainsKey(name) && _names.Count < MaxNames && _names.TryAdd(name, true);
}
