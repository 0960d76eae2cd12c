using System.Runtime.CompilerServices;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Creates options with everything that configures and validates them, and returns their snapshot.</summary>
internal sealed class SnapshotReader(
    IOptionsMonitor<AcmeHttpsOptions> monitor, IOptionsFactory<AcmeHttpsOptions> factory, EnvironmentFacts facts,
    ILogger<SnapshotReader> logger)
{
    // Kept outside the options, which are public and do not know how they are read.
    private static readonly ConditionalWeakTable<AcmeHttpsOptions, Reading> Readings = [];

    /// <summary>The configuration that the first snapshot was bound from.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid. The exception has all problems.</exception>
    public LayeredConfiguration? FirstReading => Readings.GetOrCreateValue(monitor.CurrentValue).Configuration;

    /// <summary>Ends a start with invalid options.</summary>
    /// <exception cref="OptionsValidationException">
    /// The options are not valid. The exception has all problems. They are logged here, because the host logs that exception and throws it,
    /// too: nobody should have to read the list twice.
    /// </exception>
    public void ThrowIfInvalid()
    {
        try
        {
            _ = monitor.CurrentValue;
        }
        catch (InvalidConfigurationException exception)
        {
            exception.IsListed = logger.IsEnabled(LogLevel.Critical);
            logger.ConfigurationInvalid(Quoted.Lines(exception.Failures));
            throw;
        }
    }

    /// <summary>Returns the snapshot at start.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid. The exception has all problems.</exception>
    public ConfigurationSnapshot ReadFirst() => Build(monitor.CurrentValue);

    /// <summary>Returns a snapshot of the current configuration, and the configuration that it was bound from.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid. The exception has all problems.</exception>
    /// <remarks>Uses the factory, since the monitor would throw forever after one bad reload.</remarks>
    public (ConfigurationSnapshot Snapshot, LayeredConfiguration? Reading) ReadAgain()
    {
        var options = factory.Create(Options.DefaultName);
        return (Build(options), Readings.GetOrCreateValue(options).Configuration);
    }

    /// <summary>Remembers the configuration that options were bound from.</summary>
    public static void Remember(AcmeHttpsOptions options, LayeredConfiguration configuration)
        => Readings.GetOrCreateValue(options).Configuration = configuration;

    /// <summary>
    /// Builds the snapshot of options on the first call, and returns it again later: the validator and the reader share one result, so the
    /// options are checked, and the files that they name are read, only once.
    /// </summary>
    public static SnapshotResult BuildOnce(AcmeHttpsOptions options, EnvironmentFacts facts)
        => Readings.GetOrCreateValue(options).Result ??= AcmeHttpsOptionsReader.Build(options, facts);

    private ConfigurationSnapshot Build(AcmeHttpsOptions options)
    {
        var result = BuildOnce(options, facts);
        return result.IsValid
            ? result.Snapshot
            : throw new InvalidConfigurationException(AcmeHttpsOptionsValidator.Lines(result.Problems));
    }

    private sealed class Reading
    {
        public LayeredConfiguration? Configuration { get; set; }

        public SnapshotResult? Result { get; set; }
    }
}

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
