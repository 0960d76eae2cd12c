using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration;

/// <summary>Reports everything that is wrong with the options, at once.</summary>
internal sealed class AcmeHttpsOptionsValidator(EnvironmentFacts facts) : IValidateOptions<AcmeHttpsOptions>
{
    private const int MaxShown = 100;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, AcmeHttpsOptions options)
    {
        var result = SnapshotBuilder.Build(options, facts);
        return result.IsValid ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(Lines(result.Problems));
    }

    /// <summary>One line for each problem, bounded: a generated list of names can be wrong a hundred thousand times.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyList<ConfigurationProblem> problems)
    {
        var lines = problems.Take(MaxShown).Select(problem => problem.ToString());
        return problems.Count > MaxShown ? lines.Append($"And {problems.Count - MaxShown} more.") : lines;
    }
}
