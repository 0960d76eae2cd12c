using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Simulation.Tests;

/// <summary>Counts log lines by the name of their event, and keeps the last of each.</summary>
internal sealed class EventCounter : ILoggerProvider
{
    private readonly ConcurrentDictionary<string, (int Count, string Last)> _events = new(StringComparer.Ordinal);

    public int Count(string name) => _events.GetValueOrDefault(name).Count;

    public ILogger CreateLogger(string categoryName) => new Counter(_events);

    public override string ToString()
        => string.Join('\n', _events.OrderByDescending(e => e.Value.Count).Select(e => $"{e.Value.Count,8} {e.Key}: {e.Value.Last}"));

    public void Dispose()
    {
    }

    private sealed class Counter(ConcurrentDictionary<string, (int Count, string Last)> events) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var line = formatter(state, exception) + exception;
            events.AddOrUpdate(eventId.Name ?? eventId.Id.ToString(System.Globalization.CultureInfo.InvariantCulture), (1, line), (_, known) => (known.Count + 1, line));
        }
    }
}
