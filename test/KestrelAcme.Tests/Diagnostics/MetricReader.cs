using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Tests.Diagnostics;

/// <summary>Reads the metrics of one application, and of no other that runs at the same time.</summary>
internal sealed class MetricReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<string, Instrument> _instruments = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<Value> _values = new();

    public MetricReader(IServiceProvider services)
    {
        var meters = services.GetRequiredService<IMeterFactory>();
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (instrument.Meter.Name == AcmeHttpsTelemetry.MeterName && ReferenceEquals(instrument.Meter.Scope, meters))
            {
                _instruments[instrument.Name] = instrument;
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Keep(instrument, value, tags));
        _listener.Start();
    }

    public IReadOnlyCollection<Instrument> Instruments => [.. _instruments.Values];

    public IReadOnlyCollection<Value> All => [.. _values];

    /// <summary>Metrics that nobody reads.</summary>
    public static AcmeHttpsMetrics Unread() => new(
        new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>(), TimeProvider.System);

    /// <summary>The sum of what a counter counted under these values of its tags.</summary>
    public double Sum(string name, params string[] tags)
        => _values.Where(v => v.Name == name && tags.All(v.Tags.Values.Contains)).Sum(v => v.Number);

    /// <summary>What a counter counted, by the value of a tag.</summary>
    public Dictionary<string, double> By(string name, string tag)
        => _values.Where(v => v.Name == name).GroupBy(v => v.Tags[tag]).ToDictionary(g => g.Key, g => g.Sum(v => v.Number));

    /// <summary>Reads the gauges, and returns what one of them shows.</summary>
    public IReadOnlyList<Value> Gauge(string name)
    {
        _values.Clear();
        _listener.RecordObservableInstruments();
        return [.. _values.Where(v => v.Name == name)];
    }

    public void Dispose() => _listener.Dispose();

    private void Keep(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kept = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, text) in tags)
        {
            kept[key] = (string)text!;
        }

        _values.Enqueue(new Value(instrument.Name, value, kept));
    }

    internal sealed record Value(string Name, double Number, IReadOnlyDictionary<string, string> Tags);
}
