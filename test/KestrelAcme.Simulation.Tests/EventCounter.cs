using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Simulation.Tests;

/// <summary>
/// Counts log lines by the name of their event, and keeps the last of each; keeps all that name one certificate, where it is to be
/// followed.
/// </summary>
internal sealed class EventCounter(SimulatedClock clock) : ILoggerProvider
{
    private static readonly string? Followed = Environment.GetEnvironmentVariable("SIMULATION_FOLLOW");

    private readonly ConcurrentDictionary<string, (int Count, string Last)> _events = new(StringComparer.Ordinal);

    private readonly ConcurrentQueue<string> _lines = new();

    public ILogger CreateLogger(string categoryName) => new Counter(this);

    public override string ToString()
        => string.Join('\n', _lines) + string.Join(
            '\n', _events.OrderByDescending(e => e.Value.Count).Select(e => $"{e.Value.Count,8} {e.Key}: {e.Value.Last}"));

    public void Dispose()
    {
    }

    private void Count(string name, string line)
    {
        _events.AddOrUpdate(name, (1, line), (_, known) => (known.Count + 1, line));
        if (Followed is not null && line.Contains(Followed, StringComparison.Ordinal))
        {
            _lines.Enqueue($"{clock.Now:u} {name}: {line}");
        }
    }

    private sealed class Counter(EventCounter counter) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            counter.Count(
                eventId.Name ?? eventId.Id.ToString(System.Globalization.CultureInfo.InvariantCulture),
                formatter(state, exception) + exception);
        }
    }
}
