using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Testing;

/// <summary>Records all log lines.</summary>
public sealed class LogRecorder : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    public IEnumerable<LogLine> At(LogLevel level) => _lines.Where(l => l.Level == level);

    public bool Has(string eventName) => _lines.Any(l => l.Event.Name == eventName);

    public override string ToString() => string.Join('\n', _lines.Where(l => l.Level >= LogLevel.Information));

    public ILogger CreateLogger(string categoryName) => new Recorder(categoryName, _lines);

    /// <summary>A logger for objects created without a host.</summary>
    public ILogger<T> For<T>() => new Recorder<T>(_lines);

    public void Dispose()
    {
    }

    private class Recorder(string category, ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
            => lines.Enqueue(new LogLine(category, logLevel, eventId, formatter(state, exception), exception));
    }

    private sealed class Recorder<T>(ConcurrentQueue<LogLine> lines) : Recorder(typeof(T).FullName!, lines), ILogger<T>;
}
