using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Reports everything that is wrong with the options, at once.</summary>
internal sealed class AcmeHttpsOptionsValidator(EnvironmentFacts facts, ILogger<AcmeHttpsOptionsValidator> logger) : IValidateOptions<AcmeHttpsOptions>
{
    private const int MaxShown = 100;

    // The framework puts "; " between problems: with a line break in front of each, its message is a list.
    private static readonly string NewLine = Environment.NewLine + "  ";

    private int _said;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, AcmeHttpsOptions options)
    {
        if (facts.OtherServer is { } server && options.Enabled && Interlocked.Exchange(ref _said, 1) == 0)
        {
            logger.InactiveWithoutKestrel(server);
        }

        var result = SnapshotBuilder.Build(options, facts);
        return result.IsValid ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(Lines(result.Problems));
    }

    /// <summary>One line for each problem, bounded: a generated list of names can be wrong a hundred thousand times.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyList<ConfigurationProblem> problems)
    {
        var lines = problems.Take(MaxShown).Select(problem => $"{NewLine}{problem}");
        return problems.Count > MaxShown ? lines.Append($"{NewLine}And {problems.Count - MaxShown} more.") : lines;
    }
}
