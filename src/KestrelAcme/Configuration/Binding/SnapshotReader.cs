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
