using System.Runtime.CompilerServices;
using KestrelAcme.Configuration.Snapshot;
using Microsoft.Extensions.Options;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Runs the options through everything that configures and validates them, and builds the snapshot.</summary>
internal sealed class SnapshotReader(IOptionsMonitor<AcmeHttpsOptions> monitor, IOptionsFactory<AcmeHttpsOptions> factory, EnvironmentFacts facts)
{
    // Kept beside the options, which are public and know nothing of how they are read.
    private static readonly ConditionalWeakTable<AcmeHttpsOptions, LayeredConfiguration> Readings = [];

    /// <summary>The configuration that the first snapshot was bound from.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid; all problems are in it.</exception>
    public LayeredConfiguration? FirstReading => ReadingOf(monitor.CurrentValue);

    /// <summary>The snapshot of the start, of the same options that the host validates.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid; all problems are in it.</exception>
    public ConfigurationSnapshot ReadFirst() => Build(monitor.CurrentValue);

    /// <summary>A snapshot of the configuration as it is now, and what it was bound from.</summary>
    /// <exception cref="OptionsValidationException">The options are not valid; all problems are in it.</exception>
    /// <remarks>By the factory: after one bad reload the monitor would throw for ever.</remarks>
    public (ConfigurationSnapshot Snapshot, LayeredConfiguration? Reading) ReadAgain()
    {
        var options = factory.Create(Options.DefaultName);
        return (Build(options), ReadingOf(options));
    }

    /// <summary>Remembers the configuration that options were bound from.</summary>
    public static void Remember(AcmeHttpsOptions options, LayeredConfiguration reading) => Readings.AddOrUpdate(options, reading);

    private static LayeredConfiguration? ReadingOf(AcmeHttpsOptions options) => Readings.TryGetValue(options, out var reading) ? reading : null;

    private ConfigurationSnapshot Build(AcmeHttpsOptions options)
    {
        var result = SnapshotBuilder.Build(options, facts);
        return result.IsValid
            ? result.Snapshot
            : throw new OptionsValidationException(Options.DefaultName, typeof(AcmeHttpsOptions), AcmeHttpsOptionsValidator.Lines(result.Problems));
    }
}
