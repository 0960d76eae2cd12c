namespace KestrelAcme.Configuration.Rules;

/// <summary>Collects problems while a snapshot is built.</summary>
internal sealed class ProblemList
{
    private readonly List<ConfigurationProblem> _problems = [];

    /// <summary>What was found, in the order of finding.</summary>
    public IReadOnlyList<ConfigurationProblem> All => _problems;

    /// <summary>Adds one problem.</summary>
    /// <param name="key">The key below the section, such as <c>DomainNames:1</c>.</param>
    /// <param name="value">The value as given, never a secret.</param>
    /// <param name="reason">What is wrong.</param>
    /// <param name="fix">What to do.</param>
    public void Add(string key, string? value, string reason, string fix)
        => _problems.Add(new ConfigurationProblem(ConfigurationKeys.Of(key), value, reason, fix));

    /// <summary>Adds problems found elsewhere.</summary>
    public void AddRange(IEnumerable<ConfigurationProblem> problems) => _problems.AddRange(problems);
}
