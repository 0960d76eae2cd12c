using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Validates the options and reports all problems at once.</summary>
internal sealed class AcmeHttpsOptionsValidator(EnvironmentFacts facts, ILogger<AcmeHttpsOptionsValidator> logger)
    : IValidateOptions<AcmeHttpsOptions>
{
    private const int MaxShown = 100;

    private int _reported;

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, AcmeHttpsOptions options)
    {
        if (facts.OtherServer is { } server && options.Enabled && Interlocked.Exchange(ref _reported, 1) == 0)
        {
            logger.InactiveWithoutKestrel(server);
        }

        var result = SnapshotReader.BuildOnce(options, facts);
        return result.IsValid ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(Lines(result.Problems));
    }

    /// <summary>Returns a line for each problem, up to a limit: a generated list of names can have a hundred thousand of them.</summary>
    internal static IEnumerable<string> Lines(IReadOnlyList<ConfigurationProblem> problems)
    {
        var lines = problems.Take(MaxShown).Select(problem => problem.ToString());
        return problems.Count > MaxShown ? lines.Append($"And {problems.Count - MaxShown} more.") : lines;
    }
}
