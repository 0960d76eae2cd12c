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

/// <summary>Creates the options like the framework does, and reports the problems of invalid options as a list.</summary>
internal sealed class AcmeHttpsOptionsFactory(
    IEnumerable<IConfigureOptions<AcmeHttpsOptions>> setups,
    IEnumerable<IPostConfigureOptions<AcmeHttpsOptions>> postConfigures,
    IEnumerable<IValidateOptions<AcmeHttpsOptions>> validations) : IOptionsFactory<AcmeHttpsOptions>
{
    private readonly OptionsFactory<AcmeHttpsOptions> _factory = new(setups, postConfigures, validations);

    /// <inheritdoc/>
    /// <exception cref="InvalidConfigurationException">The options are not valid. The exception has all problems.</exception>
    public AcmeHttpsOptions Create(string name)
    {
        try
        {
            return _factory.Create(name);
        }
        catch (OptionsValidationException exception)
        {
            throw new InvalidConfigurationException(exception.Failures);
        }
    }
}

/// <summary>
/// The exception for invalid options. Its message is only the list of problems, with a line for each: a stack trace would not help to fix
/// the configuration, and would scroll the list off the screen. Debuggers show it in <see cref="Exception.StackTrace"/>.
/// </summary>
/// <param name="failures">The problems, with a line for each.</param>
internal sealed class InvalidConfigurationException(IEnumerable<string> failures)
    : OptionsValidationException(Options.DefaultName, typeof(AcmeHttpsOptions), failures.Select(failure => failure.Trim()).ToList())
{
    private static readonly string NewLine = Environment.NewLine + "  ";

    /// <summary>Whether the problems are in the log. Then what is printed at the end of the process does not repeat them.</summary>
    public bool IsListed { get; set; }

    /// <inheritdoc/>
    public override string Message => $"{Summary}:{NewLine}{string.Join(NewLine, Failures)}";

    private static string Summary => $"The configuration of automatic HTTPS (section {AcmeHttpsOptions.SectionName}) is not valid";

    /// <inheritdoc/>
    public override string ToString()
        => $"{typeof(OptionsValidationException)}: {(IsListed ? $"{Summary}. The problems are in the log." : Message)}";
}
