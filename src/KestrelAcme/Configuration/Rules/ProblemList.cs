namespace KestrelAcme.Configuration.Rules;

/// <summary>Collects the problems that are found while a snapshot is built.</summary>
internal sealed class ProblemList
{
    private readonly List<ConfigurationProblem> _problems = [];

    /// <summary>All problems, in the order in which they were found.</summary>
    public IReadOnlyList<ConfigurationProblem> All => _problems;

    /// <summary>Adds a problem.</summary>
    /// <param name="key">The key below the section, such as <c>DomainNames:1</c>.</param>
    /// <param name="value">The value as given, never a secret.</param>
    /// <param name="reason">The reason, as in <see cref="ConfigurationProblem.Reason"/>.</param>
    /// <param name="fix">The fix, as in <see cref="ConfigurationProblem.Fix"/>.</param>
    public void Add(string key, string? value, string reason, string fix)
        => _problems.Add(new ConfigurationProblem(ConfigurationKeys.Of(key), value, reason, fix));

    /// <summary>Adds problems that were found while the options were bound.</summary>
    public void AddRange(IEnumerable<ConfigurationProblem> problems) => _problems.AddRange(problems);
}

/// <summary>Full configuration keys, as an operator writes them.</summary>
internal static class ConfigurationKeys
{
    /// <summary>Returns the full key of an option.</summary>
    public static string Of(string key) => $"{AcmeHttpsOptions.SectionName}:{key}";
}
